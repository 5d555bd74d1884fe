using System.Net.Sockets;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Listening;

public sealed class ConnectionLimitTests : IAsyncLifetime
{
    readonly ListenerFixture fixture = new(maxConnections: 2);

    [Fact]
    public void A_connection_beyond_the_limit_is_closed_at_once_and_the_others_go_on()
    {
        using var first = Served();
        using var second = Served();
        using var third = fixture.Dial();
        Assert.Equal(0, third.MustBeCutOff());
        Assert.Equal("echo: refused a connection: 2 are open, the most allowed", fixture.NextReport());
        Assert.Equal(2, fixture.Listener.ConnectionCount);
        first.MustEcho([1]);
        second.MustEcho([2]);
    }

    [Fact]
    public void Many_refusals_in_a_row_are_one_report()
    {
        using var first = Served();
        using var second = Served();
        for (var i = 0; i < 100; i++)
        {
            using var refused = fixture.Dial();
            refused.MustBeCutOff();
        }
        Assert.Single(fixture.Reports);

        first.Dispose();
        using var next = ServedOnceThereIsRoom();
        using var refusedAgain = fixture.Dial();
        refusedAgain.MustBeCutOff();
        Assert.Equal(2, fixture.Reports.Count);
    }

    [Fact]
    public void A_place_frees_when_a_connection_ends()
    {
        using var first = Served();
        for (var i = 0; i < 20; i++)
        {
            using var second = ServedOnceThereIsRoom();
            if (i % 2 == 0) second.Vanish();
        }
        first.MustEcho([1]);
    }

    Client Served()
    {
        var client = fixture.Dial();
        client.MustEcho([0]);
        return client;
    }

    // The server may hear of the end of one client after the next has come.
    Client ServedOnceThereIsRoom()
    {
        var unit = EchoProtocol.UnitOf([7]);
        for (var patience = Environment.TickCount64 + 20_000; Environment.TickCount64 < patience;)
        {
            var client = fixture.Dial();
            try
            {
                client.Send(unit);
                if (client.Socket.Receive(new byte[unit.Length]) > 0) return client;
            }
            catch (SocketException)
            {
                // Refused.
            }
            client.Dispose();
        }
        throw new TimeoutException("no place became free");
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();
}
