using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Connections;

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class LeakTests
{
    [Fact]
    public async Task No_kind_of_end_leaves_a_socket_open()
    {
        await RunOnce(10); // Whatever the runtime opens once.
        var before = OpenDescriptors();
        await RunOnce(300);
        Assert.InRange(OpenDescriptors(), 0, before + 10);
    }

    static async Task RunOnce(int connections)
    {
        await using var fixture = new ListenerFixture(
            (connection, draining) =>
            {
                if (connection.Id % 3 == 0) throw new InvalidTimeZoneException("a bug");
                EchoProtocol.Serve(connection, draining);
            },
            maxConnections: 8);
        for (var i = 0; i < connections; i++)
        {
            using var client = fixture.Dial();
            if (i % 5 == 0) client.Vanish();
            else client.Send([1]);
        }
    }

    static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd").Length;
}
