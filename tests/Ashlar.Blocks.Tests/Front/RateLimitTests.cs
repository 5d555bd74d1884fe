using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Tests.Driver;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Front;

/// <summary>What clients may ask of a volume in a second, on a clock that moves only when it is moved.</summary>
public sealed class RateLimitTests
{
    const int BlockSize = 4096;

    readonly SimulatedClock clock = new();
    readonly HeldDevice device = new(new MemoryDevice(2048));
    readonly VolumeFront front;

    public RateLimitTests() => front = new VolumeFront(device, clock);

    [Fact]
    public async Task One_second_of_requests_passes_at_once_and_then_they_come_at_the_rate()
    {
        front.Limits = new(Iops: 10);
        var session = Attach();
        for (var i = 0; i < 10; i++) Assert.True(Read(session).IsCompletedSuccessfully);
        var (next, last) = (Read(session), Read(session));
        Assert.Equal(2, front.WaitingCount);
        clock.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Equal(2, front.WaitingCount);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await next;
        Assert.Equal(1, front.WaitingCount);
        clock.Advance(TimeSpan.FromMilliseconds(100));
        await last;
    }

    [Fact]
    public async Task A_clock_that_is_set_or_stopped_neither_lets_requests_pass_nor_holds_them()
    {
        front.Limits = new(Iops: 10);
        var session = Attach();
        for (var i = 0; i < 10; i++) Assert.True(Read(session).IsCompletedSuccessfully);
        foreach (var by in new[] { TimeSpan.FromHours(1), TimeSpan.FromHours(-2), TimeSpan.FromDays(365), TimeSpan.FromDays(-730) })
        {
            var next = Read(session);
            clock.JumpWallClock(by);
            clock.FreezeWallClock(by > TimeSpan.Zero);
            Assert.Equal(1, front.WaitingCount);
            clock.Advance(TimeSpan.FromMilliseconds(99));
            Assert.Equal(1, front.WaitingCount);
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await next;
        }
    }

    [Fact]
    public async Task Bytes_that_are_read_and_written_count_together()
    {
        front.Limits = new(BytesPerSecond: 4 * BlockSize);
        var session = Attach();
        Assert.True(Read(session, blocks: 2).IsCompletedSuccessfully);
        Assert.True(Write(session, blocks: 2).IsCompletedSuccessfully);
        var write = Write(session);
        clock.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Equal(1, front.WaitingCount);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await write;
    }

    [Fact]
    public async Task A_request_of_more_than_a_second_passes_and_its_time_is_paid_by_those_after_it()
    {
        front.Limits = new(BytesPerSecond: BlockSize);
        var session = Attach();
        Assert.True(Write(session, blocks: 5).IsCompletedSuccessfully);
        var next = Write(session);
        clock.Advance(TimeSpan.FromMilliseconds(4999));
        Assert.Equal(1, front.WaitingCount);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await next;
    }

    [Fact]
    public async Task A_request_of_more_than_a_second_waits_for_a_full_bucket_only()
    {
        front.Limits = new(BytesPerSecond: BlockSize);
        var session = Attach();
        await Write(session);
        clock.Advance(TimeSpan.FromMilliseconds(500));
        var large = Write(session, blocks: 5);
        Assert.Equal(1, front.WaitingCount);
        clock.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(0, front.WaitingCount);
        await large;
    }

    [Fact]
    public async Task Nothing_is_saved_up_beyond_a_second()
    {
        front.Limits = new(Iops: 10);
        var session = Attach();
        clock.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 10; i++) Assert.True(Read(session).IsCompletedSuccessfully);
        var next = Read(session);
        Assert.Equal(1, front.WaitingCount);
        clock.Advance(TimeSpan.FromSeconds(1));
        await next;
    }

    [Fact]
    public async Task All_clients_share_the_limits_and_are_served_in_the_order_in_which_they_came()
    {
        front.Limits = new(BytesPerSecond: 4 * BlockSize);
        var (nbd, iscsi) = (Attach(ClientProtocol.Nbd), Attach(ClientProtocol.Iscsi));
        Assert.True(Write(nbd, blocks: 4).IsCompletedSuccessfully);
        var large = Write(iscsi, blocks: 4);
        var small = Write(nbd); // Would have its turn sooner if it might overtake.
        clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(2, front.WaitingCount);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await large;
        Assert.Equal(1, front.WaitingCount);
        clock.Advance(TimeSpan.FromMilliseconds(250));
        await small;
    }

    [Fact]
    public async Task Zeroing_trimming_and_holding_count_as_requests()
    {
        front.Limits = new(Iops: 1, BytesPerSecond: BlockSize);
        var session = Attach();
        Assert.True(session.TrimAsync(0, 64 * BlockSize).AsTask().IsCompletedSuccessfully);
        var zeroes = session.WriteZeroesAsync(0, 64 * BlockSize).AsTask();
        var held = session.HoldAsync(64 * BlockSize, BlockSize).AsTask(); // Beside it: who is let through may overtake.
        var read = Read(session);
        for (var waiting = 3; waiting > 0; waiting--)
        {
            Assert.Equal(waiting, front.WaitingCount);
            clock.Advance(TimeSpan.FromSeconds(1)); // None of the first two has moved a byte: the bytes are there, too.
        }
        await zeroes;
        (await held).Dispose();
        await read;
    }

    [Fact]
    public async Task A_flush_is_never_limited()
    {
        front.Limits = new(Iops: 1);
        var session = Attach();
        await Write(session);
        var write = Write(session);
        for (var i = 0; i < 100; i++) Assert.True(session.FlushAsync().AsTask().IsCompletedSuccessfully);
        Assert.Equal(1, front.WaitingCount);
        clock.Advance(TimeSpan.FromSeconds(1));
        await write;
    }

    [Fact]
    public async Task Of_a_client_that_leaves_what_waits_is_given_up_and_what_has_passed_goes_on()
    {
        front.Limits = new(Iops: 1);
        var (leaver, other) = (Attach(), Attach());
        var passed = Write(leaver);
        Task[] waiting = [Write(leaver), Read(leaver), leaver.HoldAsync(0, BlockSize).AsTask()];
        var last = Write(other);
        Assert.Equal(4, front.WaitingCount);
        leaver.GiveUpWaiting();
        Assert.Equal(1, front.WaitingCount);
        foreach (var given in waiting) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Write(leaver)); // Nor does it begin to wait any more.
        await passed;
        await leaver.FlushAsync();
        clock.Advance(TimeSpan.FromSeconds(1));
        await last;
        leaver.Dispose();
    }

    [Fact]
    public async Task Who_waited_only_behind_a_client_that_is_cut_off_goes_on_at_once()
    {
        front.Limits = new(BytesPerSecond: BlockSize);
        var (one, two) = (Attach(), Attach());
        await Write(one);
        var write = Write(one);
        var trim = two.TrimAsync(0, BlockSize).AsTask(); // Moves no bytes, and does not overtake.
        Assert.Equal(2, front.WaitingCount);
        await one.FenceAsync(FenceReason.ClientDetached);
        await Assert.ThrowsAsync<SessionFencedException>(() => write);
        Assert.Equal(0, front.WaitingCount); // Although no time has passed.
        await trim;
    }

    [Fact]
    public async Task A_client_that_is_cut_off_waits_no_longer_and_takes_nothing_from_the_others()
    {
        front.Limits = new(BytesPerSecond: BlockSize);
        var (one, two) = (Attach(), Attach());
        await Write(one);
        var large = Write(one, blocks: 100);
        var other = Write(two);
        await one.FenceAsync(FenceReason.ClientDetached);
        var error = await Assert.ThrowsAsync<SessionFencedException>(() => large);
        Assert.Equal(FenceReason.ClientDetached, error.Reason);
        clock.Advance(TimeSpan.FromSeconds(1));
        await other;
        Assert.Equal((0, 0), (one.InFlight, front.WaitingCount));
    }

    [Fact]
    public async Task A_request_that_is_given_up_waits_no_longer_and_counts_as_no_failure()
    {
        front.Limits = new(Iops: 1);
        var session = Attach();
        await Read(session);
        using var cut = new CancellationTokenSource();
        var waits = session.ReadAsync(0, new byte[1], cut.Token).AsTask();
        var held = session.HoldAsync(0, BlockSize, cut.Token).AsTask();
        await cut.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held);
        Assert.Equal((0, 0, 0), (session.InFlight, front.WaitingCount, session.GetStatistics().Failures));
    }

    [Fact]
    public async Task A_volume_is_closed_at_once_whoever_waits()
    {
        front.Limits = new(Iops: 1);
        var session = Attach();
        await Read(session);
        var waits = Read(session);
        Assert.True(await front.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: true));
        Assert.Equal(FenceReason.VolumeDeleted, (await Assert.ThrowsAsync<SessionFencedException>(() => waits)).Reason);
    }

    [Fact]
    public async Task The_device_is_exchanged_at_once_whoever_waits_and_those_go_on_with_the_new_one()
    {
        front.Limits = new(Iops: 1);
        var session = Attach();
        await Write(session);
        var waits = Write(session);
        var next = new MemoryDevice(2048);
        await front.SwapAsync(_ => new(next));
        Assert.False(waits.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        await waits;
        Assert.Equal(1, next.GetStatistics().Writes);
    }

    [Fact]
    public async Task Other_limits_hold_at_once_also_for_those_who_wait()
    {
        front.Limits = new(Iops: 1);
        var session = Attach();
        await Read(session);
        Task[] waiting = [Read(session), Read(session), Read(session)];
        front.Limits = new(Iops: 2);
        await Task.WhenAll(waiting[..2]);
        Assert.Equal(1, front.WaitingCount);
        front.Limits = RateLimits.None;
        await waiting[2];
        for (var i = 0; i < 100; i++) Assert.True(Read(session).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task What_is_refused_takes_nothing_from_those_who_are_served()
    {
        front.Limits = new(Iops: 1);
        var (holder, other) = (Attach(), Attach());
        Assert.True(front.Access.TryReserve(holder));
        for (var i = 0; i < 10; i++) await Assert.ThrowsAsync<ReservationConflictException>(() => Read(other));
        Assert.True(Read(holder).IsCompletedSuccessfully);
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    public void A_limit_lets_something_through(long perSecond)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RateLimits(Iops: perSecond));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RateLimits(BytesPerSecond: perSecond));
    }

    [Theory, Seeds(count: 5)]
    public async Task Whatever_clients_ask_for_the_rates_hold_and_are_used(ulong seed)
    {
        const int iops = 50, blocksPerSecond = 120, seconds = 60, largest = 8;
        front.Limits = new(iops, blocksPerSecond * BlockSize);
        var random = SeededRandom.For(seed, "sizes");
        var session = Attach();
        var pending = new List<Task>();
        long asked = 0, bytes = 0;
        for (var millisecond = 0; millisecond < seconds * 1000; millisecond++)
        {
            while (front.WaitingCount < 4) // Never idle.
            {
                var blocks = 1 + random.Next(largest);
                pending.Add(Read(session, blocks));
                (asked, bytes) = (asked + 1, bytes + (blocks * BlockSize));
            }
            clock.Advance(TimeSpan.FromMilliseconds(1));
            var passed = asked - front.WaitingCount;
            Assert.True(passed <= iops * ((millisecond + 1) / 1000.0 + 1) + 1e-6, $"{passed} requests after {millisecond + 1} ms");
            var least = bytes - (front.WaitingCount * largest * BlockSize); // Of the bytes that passed.
            Assert.True(
                least <= blocksPerSecond * BlockSize * ((millisecond + 1) / 1000.0 + 1) + 1e-3,
                $"{least} bytes after {millisecond + 1} ms");
        }
        // The bytes are what limits here: 4.5 blocks a request.
        Assert.InRange(bytes, blocksPerSecond * BlockSize * (long)seconds, blocksPerSecond * BlockSize * (seconds + 2L));
        front.Limits = RateLimits.None;
        await Task.WhenAll(pending);
    }

    ClientSession Attach(ClientProtocol protocol = ClientProtocol.Nbd) => front.Attach(new(protocol, "one", "192.0.2.1:4711"));

    static Task Read(ClientSession session, int blocks = 1) => session.ReadAsync(0, new byte[blocks * BlockSize]).AsTask();

    static Task Write(ClientSession session, int blocks = 1) => session.WriteAsync(0, new byte[blocks * BlockSize]).AsTask();
}
