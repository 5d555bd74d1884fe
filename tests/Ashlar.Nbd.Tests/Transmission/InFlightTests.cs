using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;

namespace Ashlar.Nbd.Tests.Transmission;

/// <summary>Requests that the device does not complete at once.</summary>
public sealed class InFlightTests
{
    const int MaxInFlight = Nbd.Transmission.Transmission.MaxInFlight;

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    readonly TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task They_hold_up_no_other_request_and_are_answered_when_done()
    {
        var device = new TestDevice { Before = call => call.OffsetBytes < (1 << 20) ? gate.Task : Task.CompletedTask };
        Pattern.Of(1 << 20).CopyTo(device.Bytes, 0);
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();

        var slowRead = client.Request(CommandCode.Read, 4096, 4096);
        var slowLongRead = client.Request(CommandCode.Read, 512 << 10, 512 << 10);
        var slowWrite = client.Request(CommandCode.Write, 0, 4096, payload: new byte[4096]);
        var quick = client.Request(CommandCode.Read, 1 << 20, 4096);
        Assert.Equal(quick, client.ReceiveChunk().Cookie);

        gate.SetResult();
        var replies = new List<ReplyChunk>();
        while (replies.Count(chunk => chunk.IsLast) < 3) replies.Add(client.ReceiveChunk());
        Assert.Equal(Pattern.Of(8192)[4096..], NbdClient.Assemble(replies.Where(r => r.Cookie == slowRead), 4096, 4096));
        Assert.Equal(
            Pattern.Of(1 << 20)[(512 << 10)..], NbdClient.Assemble(replies.Where(r => r.Cookie == slowLongRead), 512 << 10, 512 << 10));
        Assert.Equal(NbdError.None, Assert.Single(replies, r => r.Cookie == slowWrite).Error);
        Assert.Equal(new byte[4096], client.Read(0, 4096));
    }

    [Fact]
    public async Task They_are_bounded()
    {
        using var full = new SemaphoreSlim(0);
        var begun = 0;
        var device = new TestDevice
        {
            Before = _ =>
            {
                if (Interlocked.Increment(ref begun) == MaxInFlight) full.Release();
                return gate.Task;
            },
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();
        const int Requests = 1000;
        for (var i = 0; i < Requests; i++) client.Request(CommandCode.Read, 0, 512);
        Assert.True(await full.WaitAsync(Limit));
        Assert.Equal(MaxInFlight, Volatile.Read(ref begun));
        gate.SetResult();
        for (var i = 0; i < Requests; i++) Assert.Equal(NbdError.None, client.ReceiveChunk().Error);
    }

    [Fact]
    public async Task Disconnect_waits_for_them()
    {
        await using var fixture = new NbdFixture(new TestDevice { Before = _ => gate.Task });
        using var client = fixture.Open();
        var cookie = client.Request(CommandCode.Write, 0, 512, payload: new byte[512]);
        client.Request(CommandCode.Disconnect, 0, 0);
        gate.SetResult();
        Assert.Equal(cookie, client.ReceiveChunk().Cookie);
        client.MustBeCutOff();
        Assert.Empty(fixture.Reports);
    }

    [Fact]
    public async Task Draining_answers_them_and_then_closes()
    {
        using var begun = new SemaphoreSlim(0);
        var device = new TestDevice
        {
            Before = _ =>
            {
                begun.Release();
                return gate.Task;
            },
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();
        using var haggling = fixture.Dial();
        haggling.Greet();
        var cookie = client.Request(CommandCode.Write, 0, 512, payload: new byte[512]);
        Assert.True(await begun.WaitAsync(Limit));
        var stopped = fixture.Server.StopAsync(Limit);
        haggling.MustBeCutOff();
        gate.SetResult();
        Assert.Equal(cookie, client.ReceiveChunk().Cookie);
        client.MustBeCutOff();
        await stopped.WaitAsync(Limit);
        Assert.Equal(0, fixture.Leases);
        Assert.Empty(fixture.Reports);
    }

    [Fact]
    public async Task Draining_refuses_requests_that_were_not_begun()
    {
        using var begun = new SemaphoreSlim(0);
        using var goOn = new ManualResetEventSlim();
        var device = new TestDevice
        {
            Before = _ =>
            {
                begun.Release();
                Assert.True(goOn.Wait(Limit)); // Holds up the connection's own thread.
                return Task.CompletedTask;
            },
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();
        var requests = new byte[(3 * RequestHeader.SizeBytes) + 512];
        new RequestHeader(CommandFlags.None, CommandCode.Read, 1, 0, 512).Write(requests);
        new RequestHeader(CommandFlags.None, CommandCode.Write, 2, 0, 512).Write(requests.AsSpan(RequestHeader.SizeBytes));
        new RequestHeader(CommandFlags.None, CommandCode.Read, 3, 0, 512).Write(requests.AsSpan((2 * RequestHeader.SizeBytes) + 512));
        client.Send(requests);
        Assert.True(await begun.WaitAsync(Limit));
        var stopped = fixture.Server.StopAsync(Limit);
        goOn.Set();
        Assert.Equal((1UL, NbdError.None), CookieAndError(client.ReceiveChunk()));
        Assert.Equal((2UL, NbdError.Shutdown), CookieAndError(client.ReceiveChunk()));
        Assert.Equal((3UL, NbdError.Shutdown), CookieAndError(client.ReceiveChunk()));
        client.MustBeCutOff();
        await stopped.WaitAsync(Limit);
    }

    static (ulong Cookie, NbdError Error) CookieAndError(ReplyChunk chunk) => (chunk.Cookie, chunk.Error);

    [Fact]
    public async Task A_device_that_hangs_does_not_keep_the_server_from_stopping()
    {
        using var begun = new SemaphoreSlim(0);
        var device = new TestDevice
        {
            Before = _ =>
            {
                begun.Release();
                return gate.Task; // Never completes: only giving up ends it.
            },
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open();
        client.Request(CommandCode.Read, 0, 512);
        Assert.True(await begun.WaitAsync(Limit));
        await fixture.Server.StopAsync(TimeSpan.Zero).WaitAsync(Limit);
        Assert.Equal(0, fixture.Leases);
    }
}
