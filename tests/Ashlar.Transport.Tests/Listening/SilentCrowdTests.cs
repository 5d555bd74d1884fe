using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Listening;

/// <summary>Whoever connects and does not log in keeps nobody out who does. Here the first unit of a client is its login.</summary>
public sealed class SilentCrowdTests : IAsyncDisposable
{
    readonly ListenerFixture fixture = new(ServeAfterLogin, maxConnections: 4);

    static void ServeAfterLogin(Connection connection, CancellationToken draining)
    {
        Span<byte> login = stackalloc byte[EchoProtocol.HeaderBytes];
        if (!connection.WaitForData()) return;
        connection.Receive(login);
        connection.HandshakeCompleted();
        connection.Send(login);
        EchoProtocol.Serve(connection, draining);
    }

    [Fact]
    public void Many_times_more_silent_ones_than_there_are_places_keep_nobody_out_and_disturb_nobody()
    {
        using var early = LogIn();
        var crowd = new List<Client>();
        for (var i = 0; i < 40; i++)
        {
            crowd.Add(fixture.Dial());
            if (i % 10 != 9) continue;
            using var late = LogIn();
            late.MustEcho([1, 2]);
            early.MustEcho([3, 4]);
        }

        for (var i = 0; i < 36; i++) crowd[i].MustBeCutOff();
        Assert.Contains("it had not logged in, and gave its place to another", fixture.NextReport());
        Assert.InRange(fixture.Listener.ConnectionCount, 2, 4);
        foreach (var each in crowd) each.Dispose();
    }

    [Fact]
    public void Those_that_have_logged_in_give_way_to_nobody()
    {
        var all = Enumerable.Range(0, 4).Select(_ => LogIn()).ToArray();
        using var refused = fixture.Dial();
        refused.MustBeCutOff();
        Assert.Equal("echo: refused a connection: 4 are open, the most allowed", fixture.NextReport());
        foreach (var each in all)
        {
            each.MustEcho([5]);
            each.Dispose();
        }
    }

    Client LogIn()
    {
        var client = fixture.Dial();
        client.MustEcho([]);
        return client;
    }

    public ValueTask DisposeAsync() => fixture.DisposeAsync();
}
