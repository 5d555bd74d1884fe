using System.Net.Sockets;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.Transport;

namespace Ashlar.Nbd.Tests.Transmission;

/// <summary>A client that does not take its replies off holds up nobody but itself.</summary>
public sealed class StalledClientTests
{
    const int MiB = 1 << 20, Reads = 128;
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    static readonly TimeSpan Forever = TimeSpan.FromMinutes(10);

    // Not "asynchronously": whoever completes them runs what follows, as the thread of a device does.
    readonly TaskCompletionSource gate = new();
    readonly CountdownEvent begun = new(Reads);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_completes_its_reads_is_not_held_up_and_others_are_served(bool structured)
    {
        await using var fixture = new NbdFixture(HeldUp(), transferTimeout: Forever);
        using var stalled = fixture.Open(structured: structured);
        for (var i = 0; i < Reads; i++) stalled.Request(CommandCode.Read, 0, 256 << 10);
        Assert.True(begun.Wait(Limit));

        // On a thread of the pool and on this one alike: sending to the client would never come to an end.
        await Task.Run(gate.SetResult).WaitAsync(Limit);
        using var other = fixture.Open();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(NbdError.None, other.ErrorOf(CommandCode.Flush, 0, 0));
            Assert.Equal(MiB, other.Read(2 * MiB, MiB).Length);
        }

        // Taken at last, each is whole.
        for (var i = 0; i < Reads; i++)
        {
            var chunk = stalled.ReceiveChunk();
            Assert.Equal((256 << 10) + (structured ? 8 : 0), chunk.Payload.Length);
        }
    }

    [Fact]
    public async Task One_that_dies_leaves_nothing_behind()
    {
        await using var fixture = new NbdFixture(HeldUp(), transferTimeout: Forever);
        using (var dying = fixture.Open())
        {
            dying.Socket.ReceiveBufferSize = 4096;
            for (var i = 0; i < Reads; i++) dying.Request(CommandCode.Read, 0, 256 << 10);
            Assert.True(begun.Wait(Limit));
            await Task.Run(gate.SetResult).WaitAsync(Limit);
        }
        Assert.True(
            SpinWait.SpinUntil(() => fixture.Leases == 0 && fixture.Buffers.RentedBytes == 0 && fixture.Buffers.IdleBytes == 0, Limit));
    }

    [Fact]
    public async Task One_that_takes_nothing_is_cut_off_in_the_end_and_its_memory_comes_back()
    {
        await using var fixture = new NbdFixture(HeldUp(), transferTimeout: TimeSpan.FromMilliseconds(500));
        using var stalled = fixture.Open();
        stalled.Socket.ReceiveBufferSize = 4096;
        for (var i = 0; i < Reads; i++) stalled.Request(CommandCode.Read, 0, 256 << 10);
        Assert.True(begun.Wait(Limit));
        gate.SetResult();
        Assert.True(SpinWait.SpinUntil(() => fixture.Leases == 0 && fixture.Buffers.RentedBytes == 0, Limit));
        // Reported when all else is done.
        Assert.True(SpinWait.SpinUntil(() => fixture.Reports.Count > 0, Limit));
        Assert.Single(fixture.Reports);
    }

    [Fact]
    public async Task Replies_without_data_do_not_pile_up_either()
    {
        // Later, so that each is answered from elsewhere.
        await using var fixture = new NbdFixture(new TestDevice { Before = _ => Task.Delay(1) }, transferTimeout: Forever);
        using var stalled = fixture.Open();
        stalled.Socket.ReceiveBufferSize = 4096;
        stalled.Socket.SendTimeout = 2000;
        // No more of its requests are taken off, so in the end it cannot send any.
        var failure = Assert.ThrowsAny<SocketException>(() => AskForEver(stalled));
        Assert.Contains(failure.SocketErrorCode, new[] { SocketError.TimedOut, SocketError.WouldBlock });
        using var other = fixture.Open();
        Assert.Equal(NbdError.None, other.ErrorOf(CommandCode.Flush, 0, 0));
    }

    [Fact]
    public async Task Long_reads_of_many_that_stall_hold_up_nobody_elses()
    {
        await using var fixture = new NbdFixture(transferTimeout: Forever, buffers: new BufferPool(64 * MiB));
        Pattern.Of(32 * MiB).CopyTo(fixture.Device.Bytes, 0);
        var stalled = Enumerable.Range(0, 8).Select(_ => fixture.Open(structured: false)).ToList();
        foreach (var client in stalled)
        {
            client.Socket.ReceiveBufferSize = 4096;
            client.Request(CommandCode.Read, 0, 32 * MiB);
        }
        foreach (var client in stalled) client.Socket.Receive(new byte[1]); // Its reply is on the way.

        using var other = fixture.Open(structured: false);
        Assert.Equal(Pattern.Of(32 * MiB), other.Read(0, 32 * MiB));
        Assert.InRange(fixture.Buffers.RentedBytes, 0, fixture.Buffers.BudgetBytes + (9 * 3 * BufferShare.AlwaysGrantedBytes));
        foreach (var client in stalled) client.Dispose();
    }

    [Fact]
    public async Task A_failure_is_still_told_by_the_header_of_a_read_that_is_too_long_for_the_memory_left()
    {
        var device = new TestDevice
        {
            Before = call => call is { Kind: "read", OffsetBytes: > 20 * MiB } ? throw new IOException("unreadable") : Task.CompletedTask,
        };
        await using var fixture = new NbdFixture(device, buffers: new BufferPool(16 * MiB));
        using var client = fixture.Open(structured: false);
        Assert.Equal(NbdError.InputOutput, client.ErrorOf(CommandCode.Read, 0, 32 * MiB));
        Assert.Equal(16 * MiB, client.Read(0, 16 * MiB).Length);
    }

    [Fact]
    public async Task Writes_and_chunked_reads_go_on_in_small_pieces_when_all_memory_is_taken()
    {
        await using var fixture = new NbdFixture(buffers: new BufferPool(16 * MiB));
        var others = Enumerable.Range(0, 20).Select(_ => fixture.Buffers.OpenShare()).ToList();
        var held = others.SelectMany(TakeAll).ToList();
        using var client = fixture.Open();
        client.Write(4096, Pattern.Of(4 * MiB));
        Assert.Equal(Pattern.Of(4 * MiB), client.Read(4096, 4 * MiB));
        foreach (var buffer in held) buffer.Dispose();
        foreach (var share in others) share.Dispose();
    }

    static void AskForEver(NbdClient client)
    {
        while (true) client.Request(CommandCode.Flush, 0, 0);
    }

    static List<PooledBuffer> TakeAll(BufferShare share)
    {
        var held = new List<PooledBuffer>();
        foreach (var size in new[] { MiB, 64 << 10, 4 << 10 })
            while (share.TryRent(size) is { } buffer) held.Add(buffer);
        return held;
    }

    TestDevice HeldUp() => new()
    {
        Before = call =>
        {
            if (call.OffsetBytes >= MiB || call.Kind != "read") return Task.CompletedTask;
            if (!begun.IsSet) begun.Signal();
            return gate.Task;
        },
    };
}
