using System.Net.Sockets;
using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.Simulation;

namespace Ashlar.Nbd.Tests.Transmission;

/// <summary>Clients that go while their requests wait for the limits of the volume, on a clock that stands still.</summary>
public sealed class RateLimitTests : IAsyncLifetime
{
    static readonly TimeSpan Hangs = TimeSpan.FromMinutes(1);

    readonly SimulatedClock clock = new();
    readonly NbdFixture fixture;

    public RateLimitTests()
    {
        fixture = new(clock: clock);
        fixture.Front().Limits = new(Iops: 1);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        fixture.Front().Limits = RateLimits.None; // Where a test has failed something still waits, and would keep the server.
        Assert.Empty(fixture.Reports);
        await fixture.DisposeAsync();
    }

    [Fact]
    public void A_client_that_just_leaves_is_not_kept_and_what_waited_is_not_done()
    {
        using var client = fixture.Open();
        SendWrites(client);
        client.Socket.Shutdown(SocketShutdown.Send);
        MustHaveLeft();
        Assert.Single(fixture.Device.Calls, call => call.Kind == "write");
    }

    [Fact]
    public void One_that_listens_on_is_told()
    {
        using var client = fixture.Open();
        SendWrites(client);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal([NbdError.Shutdown, NbdError.Shutdown], [client.ReceiveChunk().Error, client.ReceiveChunk().Error]);
    }

    [Fact]
    public void A_client_that_disconnects_has_its_requests_carried_out_first()
    {
        using var client = fixture.Open();
        SendWrites(client);
        client.Request(CommandCode.Disconnect, 0, 0);
        for (var i = 0; i < 2; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(NbdError.None, client.ReceiveChunk().Error);
        }
        MustHaveLeft();
        Assert.Equal(3, fixture.Device.Calls.Count(call => call.Kind == "write"));
    }

    // The second reply that nobody takes is the first that cannot be sent.
    [Fact]
    public void So_has_one_that_does_not_wait_for_the_replies()
    {
        using (var client = fixture.Open())
        {
            SendWrites(client, waiting: 4);
            Disconnect(client);
        }
        for (var done = 2; done <= 5; done++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.True(SpinWait.SpinUntil(() => Writes == done, Hangs), $"write {done} is not carried out");
        }
        MustHaveLeft();
    }

    [Fact]
    public async Task But_no_longer_than_a_server_that_stops_lets_it()
    {
        using (var client = fixture.Open())
        {
            SendWrites(client, waiting: 4);
            Disconnect(client);
        }
        for (var done = 2; done <= 3; done++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.True(SpinWait.SpinUntil(() => Writes == done, Hangs));
        }
        await fixture.Server.StopAsync(TimeSpan.FromMilliseconds(1)).WaitAsync(Hangs);
        Assert.Equal(0, fixture.Front().WaitingCount);
        Assert.Equal(3, Writes);
    }

    int Writes => fixture.Device.Calls.Count(call => call.Kind == "write");

    /// <summary>Says so, and returns when the server has heard it.</summary>
    static void Disconnect(NbdClient client)
    {
        // Both are received at once, so what is refused is answered when the end has been seen.
        var both = new byte[2 * RequestHeader.SizeBytes];
        new RequestHeader(CommandFlags.None, (CommandCode)999, 998, 0, 0).Write(both);
        new RequestHeader(CommandFlags.None, CommandCode.Disconnect, 999, 0, 0).Write(both.AsSpan(RequestHeader.SizeBytes));
        client.Send(both);
        var reply = client.ReceiveChunk();
        Assert.Equal((998UL, NbdError.Invalid), (reply.Cookie, reply.Error));
    }

    /// <summary>One passes, the others wait.</summary>
    void SendWrites(NbdClient client, int waiting = 2)
    {
        for (var i = 0; i < 1 + waiting; i++) client.Request(CommandCode.Write, 0, 512, payload: new byte[512]);
        Assert.Equal(NbdError.None, client.ReceiveChunk().Error);
        Assert.True(SpinWait.SpinUntil(() => fixture.Front().WaitingCount == waiting, Hangs));
    }

    void MustHaveLeft() => Assert.True(SpinWait.SpinUntil(() => fixture.Leases == 0, Hangs), "the session does not end");
}
