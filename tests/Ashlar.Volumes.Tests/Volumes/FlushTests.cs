using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>What a flush does, what it shares, and what it may leave out.</summary>
public sealed class FlushTests
{
    [Fact]
    public async Task Concurrent_flushes_share_a_commit()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        var isFlushing = new TaskCompletionSource();
        var mayFlush = new TaskCompletionSource();
        hooks.BeforeFlush = async () =>
        {
            hooks.BeforeFlush = () => Task.CompletedTask;
            isFlushing.SetResult();
            await mayFlush.Task;
        };
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        var first = disk.FlushAsync().AsTask();
        await isFlushing.Task;
        await disk.WriteAsync(new Lba(1), new byte[4096]);
        var others = Enumerable.Range(0, 20).Select(_ => disk.FlushAsync().AsTask()).ToList();
        Assert.DoesNotContain(others, flush => flush.IsCompleted);
        mayFlush.SetResult();
        await Task.WhenAll([first, .. others]);
        Assert.Equal(2, hooks.Flushes);
        Assert.Equal(2, pool.Pool.GetStatistics().Commits);
    }

    [Fact]
    public async Task A_flush_with_nothing_to_do_does_nothing()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        await disk.FlushAsync();
        for (var i = 0; i < 5; i++) await disk.FlushAsync();
        Assert.Equal(1, hooks.Flushes);
        Assert.Equal(1, pool.Pool.GetStatistics().Commits);
    }

    [Fact]
    public async Task Overwriting_in_place_costs_a_flush_of_data_but_no_commit_of_the_map()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        await disk.FlushAsync();
        for (var i = 0; i < 5; i++)
        {
            await disk.WriteAsync(Lba.Zero, new SeededRandom((ulong)i).Bytes(4096));
            await disk.FlushAsync();
        }

        Assert.Equal(6, hooks.Flushes);
        Assert.Equal((1L, 1L), (pool.Pool.GetStatistics().Commits, pool.Pool.GetStatistics().MarkerSyncs));
        await pool.Pool.CommitAsync();
        Assert.Equal(2, pool.Pool.GetStatistics().Commits);
    }

    [Fact]
    public async Task First_writes_need_no_marker_and_large_overwrites_one_each()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 34 * 16);
        var disk = await pool.CreateVolumeAsync("disk", 32 << 20);
        var data = new SeededRandom(1).Bytes(1 << 20);
        for (var leaf = 0; leaf < 32; leaf++) await disk.WriteAsync(new Lba(leaf * 256), data);
        Assert.Equal(0, pool.Pool.GetStatistics().MarkerSyncs);
        await disk.FlushAsync();
        for (var round = 0; round < 3; round++)
            for (var leaf = 0; leaf < 32; leaf++) await disk.WriteAsync(new Lba(leaf * 256), data);
        Assert.Equal(32, pool.Pool.GetStatistics().MarkerSyncs);
        Assert.Equal((32, 32 * 256), (pool.Pool.GetStatistics().MarkedLeaves, pool.Pool.GetStatistics().MarkedBlocks));
    }

    [Fact]
    public async Task A_lone_overwrite_marks_its_own_blocks_and_a_second_one_the_rest_of_the_chunk()
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(64 * 4096));
        await disk.FlushAsync();
        await disk.WriteAsync(new Lba(20), new byte[2 * 4096]);
        Assert.Equal((1, 2), (pool.Pool.GetStatistics().MarkedLeaves, pool.Pool.GetStatistics().MarkedBlocks));
        await disk.WriteAsync(new Lba(27), new byte[4096]);
        Assert.Equal((1, 16), (pool.Pool.GetStatistics().MarkedLeaves, pool.Pool.GetStatistics().MarkedBlocks));
        for (var block = 16; block < 32; block++) await disk.WriteAsync(new Lba(block), new byte[4096]);
        Assert.Equal(2, pool.Pool.GetStatistics().MarkerSyncs);
    }

    [Fact]
    public async Task Where_several_chunks_of_a_MiB_are_being_overwritten_all_of_it_is_marked()
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(1 << 20));
        await disk.FlushAsync();
        foreach (var chunk in new[] { 3, 9, 1, 14 }) await disk.WriteAsync(new Lba(chunk * 16), new byte[4096]);
        Assert.Equal((4, 4), (pool.Pool.GetStatistics().MarkerSyncs, pool.Pool.GetStatistics().MarkedBlocks));
        await disk.WriteAsync(new Lba(6 * 16), new byte[4096]);
        Assert.Equal((5, 256), (pool.Pool.GetStatistics().MarkerSyncs, pool.Pool.GetStatistics().MarkedBlocks));
        for (var block = 255; block >= 0; block -= 3) await disk.WriteAsync(new Lba(block), new byte[4096]);
        Assert.Equal(5, pool.Pool.GetStatistics().MarkerSyncs);
    }

    [Fact]
    public async Task A_random_writer_that_waits_for_many_markers_gets_a_MiB_with_each()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 130 * 16);
        var disk = await pool.CreateVolumeAsync("disk", 128 << 20);
        for (var leaf = 0; leaf < 128; leaf++) await disk.WriteAsync(new Lba(leaf * 256), new SeededRandom(1).Bytes(1 << 20));
        await disk.FlushAsync();
        for (var leaf = 0; leaf < 64; leaf++) await disk.WriteAsync(new Lba((leaf * 256) + 5), new byte[4096]);
        Assert.Equal((64, 64), (pool.Pool.GetStatistics().MarkerSyncs, pool.Pool.GetStatistics().MarkedBlocks));
        for (var leaf = 64; leaf < 128; leaf++) await disk.WriteAsync(new Lba((leaf * 256) + 5), new byte[4096]);
        // A wait that was over before anybody looked counts as none, so one or two may come later.
        Assert.Equal(128, pool.Pool.GetStatistics().MarkerSyncs);
        Assert.InRange(pool.Pool.GetStatistics().MarkedBlocks, 2 + 64 + (62 * 256), 64 + (64 * 256));
    }

    [Fact]
    public async Task Where_writers_wait_for_markers_what_is_committed_is_marked_in_passing()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 2048);
        var volume = await pool.CreateVolumeAsync("disk", 70 << 20);
        for (var leaf = 0; leaf < 70; leaf++) await volume.WriteAsync(new Lba(leaf * 256), new byte[4096]);
        await pool.Pool.CommitAsync();
        var asked = pool.Pool.GetStatistics().MarkerSyncs;
        await volume.WriteAsync(new Lba(17), new byte[4096]);
        await pool.Pool.CommitAsync();
        Assert.Equal(asked, pool.Pool.GetStatistics().MarkerSyncs); // Nobody has waited yet.

        for (var leaf = 0; leaf < 70; leaf++) await volume.WriteAsync(new Lba(leaf * 256), new byte[4096]);
        Assert.True(((VolumeDevice)volume).ExpectsOverwrites);
        for (var leaf = 0; leaf < 70; leaf++) await volume.WriteAsync(new Lba((leaf * 256) + 33), new byte[4096]);
        await pool.Pool.CommitAsync();
        for (var index = 0; index < 70; index++)
        {
            var leaf = await pool.Pool.Parts.Cache.AcquireAsync((VolumeDevice)volume, index);
            while (!leaf.Marks!.Durable.Contains(33)) await Task.Yield(); // Nobody waits but for this test.
            leaf.Unpin();
        }

        asked = pool.Pool.GetStatistics().MarkerSyncs;
        for (var leaf = 0; leaf < 70; leaf++) await volume.WriteAsync(new Lba((leaf * 256) + 33), new byte[4096]);
        Assert.Equal(asked, pool.Pool.GetStatistics().MarkerSyncs);
    }

    [Fact]
    public async Task A_sequential_writer_of_small_blocks_waits_for_few_markers()
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(1 << 20));
        await disk.FlushAsync();
        for (var block = 0; block < 256; block++) await disk.WriteAsync(new Lba(block), new byte[4096]);
        Assert.InRange(pool.Pool.GetStatistics().MarkerSyncs, 1, 8);
    }

    [Fact]
    public async Task The_device_is_told_how_far_apart_flushes_come_that_somebody_waits_for()
    {
        var clock = new SimulatedClock();
        ICachingDevice device = null!;
        await using var pool = await TestPool.CreateAsync(
            options: TestPool.DefaultOptions() with { TimeProvider = clock },
            wrap: inner => (IBlockDevice)(device = (ICachingDevice)inner));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        Assert.Equal(TimeSpan.Zero, device.FlushInterval);
        clock.Advance(TimeSpan.FromSeconds(40));
        await pool.Pool.CommitAsync(); // As by the timer: nobody waits for it.
        Assert.Equal(TimeSpan.FromSeconds(40), device.FlushInterval);

        // A guest that commits its journal every five seconds; one flush, as when a client leaves, is no reason.
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(TimeSpan.FromSeconds(40), device.FlushInterval);
            await disk.WriteAsync(Lba.Zero, new byte[4096], WriteOptions.ForceUnitAccess);
            clock.Advance(TimeSpan.FromSeconds(5));
        }

        await pool.Pool.CommitAsync();
        Assert.Equal(TimeSpan.FromSeconds(5), device.FlushInterval);
        clock.Advance(TimeSpan.FromSeconds(20));
        await pool.Pool.CommitAsync();
        Assert.Equal(TimeSpan.FromSeconds(25), device.FlushInterval);
    }

    [Theory]
    [InlineData(4, 1000, 4)]
    [InlineData(1000, 6, 6)]
    [InlineData(1000, 0, 0)]
    public async Task Markers_beyond_the_bound_are_cleared_while_their_region_is_busy(int maxLeaves, int maxBlocks, int left)
    {
        var options = TestPool.DefaultOptions() with { MaxMarkedLeaves = maxLeaves, MaxMarkedBlocks = maxBlocks };
        await using var pool = await TestPool.CreateAsync(options: options, chunks: 34 * 16);
        var disk = await pool.CreateVolumeAsync("disk", 32 << 20);
        for (var leaf = 0; leaf < 32; leaf++) await disk.WriteAsync(new Lba(leaf * 256), new byte[4096]);
        await disk.FlushAsync();
        for (var round = 0; round < 3; round++)
        {
            for (var leaf = 0; leaf < 32; leaf++)
                await disk.WriteAsync(new Lba(leaf * 256), new SeededRandom((ulong)(round + leaf)).Bytes(4096));
            await pool.Pool.CommitAsync();
            await pool.Pool.CommitAsync(); // Until the clearing of the first has been written.
            Assert.InRange(pool.Pool.GetStatistics().MarkedLeaves, 0, 32);
        }

        pool.Pool.Parts.Markers.Clear(TimeSpan.FromHours(1));
        Assert.InRange(pool.Pool.GetStatistics().MarkedLeaves, 0, left);
    }

    [Fact]
    public async Task A_spill_gives_memory_back_without_a_flush_and_its_markers_stay_until_the_next()
    {
        await using var pool = await TestPool.CreateAsync(options: TestPool.DefaultOptions() with { MarkerQuietTime = TimeSpan.Zero });
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        for (var leaf = 0; leaf < 8; leaf++) await disk.WriteAsync(new Lba(leaf * 256), new byte[4096]);
        await disk.FlushAsync();
        for (var leaf = 0; leaf < 8; leaf++) await disk.WriteAsync(new Lba(leaf * 256), new SeededRandom((ulong)leaf).Bytes(4096));
        await disk.WriteAsync(new Lba(1), new byte[4096]); // A new block: its leaf is none of a spill's.
        var before = pool.Pool.GetStatistics();

        var parts = pool.Pool.Parts;
        Assert.Equal(9, parts.ChangedLeaves.Count);
        await parts.Committer.RunAsync(CommitScope.Spill);
        var spilled = pool.Pool.GetStatistics();
        Assert.Equal(1, parts.ChangedLeaves.Count);
        Assert.Equal(before.DataFlushes, spilled.DataFlushes);
        Assert.Equal(before.LeavesWritten + 7, spilled.LeavesWritten);
        parts.Markers.Clear(TimeSpan.Zero);
        await parts.Markers.ClearAllAsync();
        Assert.Equal(8, pool.Pool.GetStatistics().MarkedLeaves);

        await disk.FlushAsync();
        await parts.Markers.ClearAllAsync();
        Assert.Equal(0, pool.Pool.GetStatistics().MarkedLeaves);
    }

    [Fact]
    public async Task Markers_are_cleared_when_a_region_has_been_quiet()
    {
        var clock = new SimulatedClock();
        await using var pool = await TestPool.CreateAsync(options: TestPool.DefaultOptions() with { TimeProvider = clock });
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        await disk.FlushAsync();
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        await pool.Pool.CommitAsync();
        Assert.Equal(1, pool.Pool.GetStatistics().MarkedLeaves);
        clock.Advance(TimeSpan.FromSeconds(31));
        await pool.Pool.CommitAsync();
        Assert.Equal(0, pool.Pool.GetStatistics().MarkedLeaves);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        Assert.Equal(2, pool.Pool.GetStatistics().MarkerSyncs);
    }

    // A write that was under way during a flush is not covered by it.
    [Fact]
    public async Task A_flush_covers_a_write_that_ended_while_another_flush_ran()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        await disk.FlushAsync();
        var (isWriting, mayWrite) = (new TaskCompletionSource(), new TaskCompletionSource());
        hooks.BeforeWrite = async _ =>
        {
            hooks.BeforeWrite = _ => Task.CompletedTask;
            isWriting.SetResult();
            await mayWrite.Task;
        };
        var writing = Task.Run(() => disk.WriteAsync(new Lba(512), new byte[4096]).AsTask());
        await isWriting.Task;
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        await disk.FlushAsync();
        Assert.Equal(2, hooks.Flushes);
        mayWrite.SetResult();
        await writing;
        await disk.FlushAsync();
        Assert.Equal(3, hooks.Flushes);
    }

    // The write reached a cache of the device before it failed.
    [Fact]
    public async Task A_flush_after_a_failed_write_reaches_the_device()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        await disk.FlushAsync();
        hooks.BeforeWrite = _ => throw new DeviceIOException("below", "as told", isTransient: false);
        await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.WriteAsync(Lba.Zero, new byte[4096]));
        hooks.BeforeWrite = _ => Task.CompletedTask;
        await disk.FlushAsync();
        Assert.Equal(2, hooks.Flushes);
    }

    // Whatever its kind: a device that had no room while it flushed may have lost what was written as well.
    [Fact]
    public async Task A_flush_that_failed_for_want_of_space_below_stops_writes_for_good()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        hooks.BeforeFlush = () => throw new DeviceFullException("below", "as told");
        await Assert.ThrowsAnyAsync<BlockDeviceException>(async () => await disk.FlushAsync());
        hooks.BeforeFlush = () => Task.CompletedTask;
        await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.FlushAsync());
        await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.WriteAsync(Lba.Zero, new byte[4096]));
        Assert.IsType<DeviceFullException>(pool.Pool.GetStatistics().Failure);
    }

    [Fact]
    public async Task A_failed_flush_stops_writes_and_flushes_for_good_but_not_reads()
    {
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(wrap: device => hooks = new HookedDevice(device));
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        var data = new SeededRandom(1).Bytes(4096);
        await disk.WriteAsync(Lba.Zero, data);
        hooks.BeforeFlush = () => throw new DeviceIOException("below", "as told", isTransient: false);
        var first = await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.FlushAsync());
        hooks.BeforeFlush = () => Task.CompletedTask;
        Assert.Contains("as told", first.Message, StringComparison.Ordinal);
        var later = await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.FlushAsync());
        Assert.Same(first.InnerException, later.InnerException);
        await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.WriteAsync(Lba.Zero, data));
        await Assert.ThrowsAsync<DeviceIOException>(async () => await disk.TrimAsync(Lba.Zero, 1));
        await Assert.ThrowsAsync<DeviceIOException>(async () => await pool.CreateVolumeAsync("other", 4096));
        var read = new byte[4096];
        await disk.ReadAsync(Lba.Zero, read);
        Assert.Equal(data, read);
        Assert.Same(first.InnerException, pool.Pool.GetStatistics().Failure);
        Assert.Equal(4, disk.GetStatistics().Failures); // Two flushes, a write, a trim.
    }

    [Fact]
    public async Task The_timer_commits_what_nobody_flushes()
    {
        var clock = new SimulatedClock();
        HookedDevice hooks = null!;
        await using var pool = await TestPool.CreateAsync(
            options: TestPool.DefaultOptions() with { TimeProvider = clock }, wrap: device => hooks = new HookedDevice(device));
        var isFlushed = new TaskCompletionSource();
        hooks.BeforeFlush = () =>
        {
            isFlushed.TrySetResult();
            return Task.CompletedTask;
        };
        var disk = await pool.CreateVolumeAsync("disk", 8 << 20);
        await disk.WriteAsync(Lba.Zero, new byte[4096]);
        clock.Advance(TimeSpan.FromSeconds(1));
        await isFlushed.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
