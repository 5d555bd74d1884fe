using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Tests.Driver;

namespace Ashlar.Blocks.Tests.Front;

public sealed class VolumeFrontTests
{
    const int BlockSize = 4096;

    readonly HeldDevice device = new(new MemoryDevice(2048));
    readonly VolumeFront front;
    readonly List<VolumeEventKind> events = [];

    public VolumeFrontTests()
    {
        front = new VolumeFront(device);
        front.Changed += (_, change) => events.Add(change.Kind);
    }

    [Fact]
    public void Clients_are_known_from_when_they_come_until_they_go()
    {
        var nbd = Attach(ClientProtocol.Nbd);
        var iscsi = Attach(ClientProtocol.Iscsi);
        Assert.Equal([nbd, iscsi], front.Sessions);
        nbd.Dispose();
        nbd.Dispose(); // A second time counts for nothing.
        Assert.Equal([iscsi], front.Sessions);
        Assert.Equal([VolumeEventKind.Attached, VolumeEventKind.Attached, VolumeEventKind.Detached], events);
    }

    [Fact]
    public async Task What_each_client_does_is_counted_for_it_alone()
    {
        var (one, two) = (Attach(), Attach());
        device.HoldWrites();
        var write = one.WriteAsync(0, Filled(1)).AsTask();
        Assert.Equal((1, 0), (one.InFlight, two.InFlight));
        device.Release();
        await write;
        await Assert.ThrowsAsync<OutOfBoundsException>(async () => await one.ReadAsync(1L << 40, new byte[1]));
        var statistics = one.GetStatistics()[DriverOperation.Write];
        Assert.Equal((1, BlockSize, 1), (statistics.Count, statistics.Bytes, one.GetStatistics().Failures));
        Assert.Equal((0, 0), (one.InFlight, two.GetStatistics().Writes));
    }

    [Fact]
    public async Task A_range_that_cannot_be_held_counts_as_a_failure()
    {
        var session = Attach();
        await Assert.ThrowsAsync<OutOfBoundsException>(async () => await session.HoldAsync(1L << 40, BlockSize));
        await Assert.ThrowsAsync<BlockAlignmentException>(async () => await session.HoldAsync(1, BlockSize));
        Assert.Equal((0, 2), (session.InFlight, session.GetStatistics()[DriverOperation.Write].Failures));
    }

    [Fact]
    public async Task Who_gives_up_waiting_for_a_range_is_not_under_way_any_more()
    {
        var (one, two) = (Attach(), Attach());
        using var cut = new CancellationTokenSource();
        using var held = await one.HoldAsync(0, BlockSize);
        var waiting = two.HoldAsync(0, BlockSize, cut.Token).AsTask();
        Assert.Equal((1, 1), (one.InFlight, two.InFlight));
        await cut.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal((1, 0), (one.InFlight, two.InFlight));
    }

    [Fact]
    public async Task Overlapping_writes_of_two_clients_reach_the_device_one_after_the_other()
    {
        var (one, two) = (Attach(ClientProtocol.Nbd), Attach(ClientProtocol.Iscsi));
        device.HoldWrites();
        var first = one.WriteAsync(0, Filled(1, 2)).AsTask();
        var second = two.WriteAsync(BlockSize, Filled(2, 2)).AsTask();
        var elsewhere = two.WriteAsync(3 * BlockSize, Filled(3)).AsTask();
        Assert.Equal(2, device.WritesBegun);
        device.Release();
        await Task.WhenAll(first, second, elsewhere);
        Assert.Equal(2, (await Read(one, BlockSize))[0]);
    }

    [Fact]
    public async Task A_huge_trim_holds_up_nobody_outside_of_it()
    {
        var (one, two) = (Attach(), Attach());
        device.HoldTrims();
        var trim = one.TrimAsync(1024 * BlockSize, 1024 * BlockSize).AsTask();
        await two.WriteAsync(10, new byte[10]); // Read, changed and written.
        await two.WriteAsync(0, Filled(1));
        await two.WriteAsync(1023 * BlockSize, Filled(1));
        Assert.False(trim.IsCompleted);
        var within = two.WriteAsync(1500 * BlockSize + 1, new byte[] { 7 }).AsTask();
        Assert.False(within.IsCompleted);
        device.Release();
        await Task.WhenAll(trim, within);
        Assert.Equal(7, (await Read(two, 1500 * BlockSize))[1]);
    }

    [Fact]
    public async Task A_part_of_a_block_holds_up_nobody_but_those_who_want_that_block()
    {
        var (one, two) = (Attach(), Attach());
        device.HoldReads();
        var part = one.WriteAsync(10, new byte[10]).AsTask();
        Assert.True(two.WriteAsync(BlockSize, Filled(1)).AsTask().IsCompletedSuccessfully); // The block beside it.
        var same = two.WriteAsync(0, Filled(2)).AsTask();
        Assert.False(same.IsCompleted);
        device.Release();
        await Task.WhenAll(part, same);
    }

    [Fact]
    public async Task Nobody_changes_what_a_client_holds_between_its_look_and_its_write()
    {
        var (one, two) = (Attach(ClientProtocol.Iscsi), Attach(ClientProtocol.Nbd));
        Task write;
        using (var held = await one.HoldAsync(0, BlockSize))
        {
            Assert.Null(await held.FindDifferenceAsync(0, Filled(0)));
            write = two.WriteAsync(5, new byte[] { 9 }).AsTask();
            Assert.False(write.IsCompleted);
            await held.WriteAsync(0, Filled(1));
        }
        await write;
        var content = await Read(one, 0);
        Assert.Equal((1, 9, 1), (content[4], content[5], content[6]));
        using var again = await one.HoldAsync(0, BlockSize);
        Assert.Equal(5, await again.FindDifferenceAsync(0, Filled(1)));
    }

    [Fact]
    public async Task A_reservation_binds_everybody_else_until_it_ends_with_its_session()
    {
        var (holder, other) = (Attach(ClientProtocol.Iscsi), Attach(ClientProtocol.Nbd));
        Assert.True(front.Access.TryReserve(holder));
        Assert.False(front.Access.TryReserve(other));
        await holder.WriteAsync(0, Filled(1));
        var error = await Assert.ThrowsAsync<ReservationConflictException>(async () => await other.WriteAsync(0, Filled(2)));
        Assert.Equal(holder.Client.Name, error.Holder);
        await Assert.ThrowsAsync<ReservationConflictException>(async () => await other.ReadAsync(0, new byte[1]));
        await Assert.ThrowsAsync<ReservationConflictException>(async () => await other.TrimAsync(0, BlockSize));
        await Assert.ThrowsAsync<ReservationConflictException>(async () => await other.WriteZeroesAsync(0, 1));
        await Assert.ThrowsAsync<ReservationConflictException>(async () => await other.HoldAsync(0, BlockSize));
        await Assert.ThrowsAsync<ReservationConflictException>(
            async () => await other.DescribeExtentsAsync(Lba.Zero, 1, new BlockExtent[1]));
        await other.FlushAsync(); // What it wrote before may become durable.
        front.Access.Release(other); // Not its own.
        Assert.Same(holder, front.Access.ReservedBy);
        holder.Dispose();
        await other.WriteAsync(0, Filled(2));
        Assert.Equal(0, other.InFlight);
    }

    [Fact]
    public async Task Write_protection_binds_everybody_and_outlasts_who_asked_for_it()
    {
        var (one, two) = (Attach(), Attach());
        front.Access.IsWriteProtected = true;
        await Assert.ThrowsAsync<WriteProtectedException>(async () => await one.WriteAsync(0, Filled(1)));
        one.Dispose();
        await Assert.ThrowsAsync<WriteProtectedException>(async () => await two.WriteAsync(0, Filled(1)));
        await two.ReadAsync(0, new byte[1]);
        front.Access.Reset();
        await two.WriteAsync(0, Filled(1));
    }

    [Fact]
    public async Task A_closed_volume_ends_what_is_under_way_and_does_nothing_more()
    {
        var session = Attach();
        device.HoldWrites();
        var write = session.WriteAsync(0, Filled(1)).AsTask();
        var closing = front.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: true);
        Assert.True(session.Fenced.IsCancellationRequested);
        Assert.False(closing.IsCompleted);
        var error = await Assert.ThrowsAsync<SessionFencedException>(async () => await session.ReadAsync(0, new byte[1]));
        Assert.Equal(FenceReason.VolumeDeleted, error.Reason);
        await Assert.ThrowsAsync<SessionFencedException>(async () => await session.FlushAsync());
        device.Release();
        await write;
        Assert.True(await closing);
        Assert.True(front.IsClosed);
        Assert.Throws<SessionFencedException>(() => Attach());
        Assert.Equal(VolumeEventKind.Deleted, events[^1]);
    }

    [Fact]
    public async Task A_volume_in_use_is_closed_only_if_that_is_meant()
    {
        var session = Attach();
        Assert.False(await front.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: false));
        await session.WriteAsync(0, Filled(1));
        session.Dispose();
        Assert.True(await front.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: false));
    }

    [Fact]
    public async Task The_device_is_exchanged_when_nothing_is_under_way_and_requests_wait_for_that()
    {
        var session = Attach();
        var next = new MemoryDevice(4096);
        device.HoldWrites();
        var before = session.WriteAsync(0, Filled(1)).AsTask();
        var exchange = new TaskCompletionSource<IBlockDevice>();
        var isExchanging = false;
        var swap = front.SwapAsync(old =>
        {
            Assert.Same(device, old);
            isExchanging = true;
            return new(exchange.Task);
        });
        Assert.False(isExchanging);
        var during = session.WriteAsync(BlockSize, Filled(2)).AsTask();
        var late = Attach().ReadAsync(0, new byte[1]).AsTask(); // Also of clients who come now.
        device.Release();
        await before;
        Assert.False(during.IsCompleted || late.IsCompleted);
        exchange.SetResult(next);
        await swap;
        await Task.WhenAll(during, late);
        Assert.Equal((1, 1), (device.WritesBegun, next.GetStatistics().Writes));
        Assert.Equal(4096, session.Geometry.BlockCount);
        Assert.Equal(VolumeEventKind.CapacityChanged, events[^1]);
    }

    [Fact]
    public async Task An_exchange_that_fails_leaves_the_old_device()
    {
        var session = Attach();
        await Assert.ThrowsAsync<ArgumentException>(() => front.SwapAsync(_ => new(new MemoryDevice(2047))));
        await Assert.ThrowsAsync<ArgumentException>(() => front.SwapAsync(_ => new(new MemoryDevice(1 << 16, 512))));
        await Assert.ThrowsAsync<IOException>(() => front.SwapAsync(_ => throw new IOException()));
        await session.WriteAsync(0, Filled(1));
        Assert.Equal(1, device.WritesBegun);
    }

    ClientSession Attach(ClientProtocol protocol = ClientProtocol.Nbd) => front.Attach(new(protocol, "one", "192.0.2.1:4711"));

    static byte[] Filled(byte value, int blocks = 1) => Enumerable.Repeat(value, blocks * BlockSize).ToArray();

    static async Task<byte[]> Read(ClientSession session, long offset)
    {
        var buffer = new byte[BlockSize];
        await session.ReadAsync(offset, buffer);
        return buffer;
    }
}
