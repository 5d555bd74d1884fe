using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>Thick means thick: all of its space is there, in the pool and on the disk below, or the volume is not.</summary>
public sealed class ThickVolumeTests
{
    const int Chunk = MapLayout.ChunkBytes;

    readonly SimulatedFileSystem disk = new(isRecording: false);
    HookedDevice hooks = null!;

    [Fact]
    public async Task How_far_a_resizing_has_come_is_shown_while_it_runs()
    {
        HookedDevice? hooked = null;
        await using var pool = await TestPool.CreateAsync(chunks: 256, wrap: inner => hooked = new HookedDevice(inner));
        Assert.True((await pool.CreateVolumeAsync("thick", MapLayout.LeafBytes, isThick: true)).Geometry.IsThick);
        Assert.False((await pool.CreateVolumeAsync("thin", MapLayout.LeafBytes)).Geometry.IsThick);
        Assert.Null(pool.Pool.FindVolume("thick")!.Resize);
        var (reached, goOn, reservations) = (new TaskCompletionSource(), new TaskCompletionSource(), 0);
        hooked!.BeforeZeroes = _ =>
        {
            if (++reservations != 3) return Task.CompletedTask;
            reached.SetResult();
            return goOn.Task;
        };
        var resizing = pool.Pool.ResizeVolumeAsync("thick", 5 * MapLayout.LeafBytes).AsTask();
        await reached.Task;
        Assert.Equal(
            new VolumeResize(MapLayout.LeafBytes, 5 * MapLayout.LeafBytes, 2 * MapLayout.LeafBytes),
            pool.Pool.FindVolume("thick")!.Resize);
        goOn.SetResult();
        Assert.Null((await resizing).Resize);
        Assert.Null(pool.Pool.FindVolume("thick")!.Resize);
    }

    [Fact]
    public async Task A_creation_that_a_crash_interrupts_never_was()
    {
        var process = new MortalFileSystem(disk);
        var pool = await CreateAsync(process);
        hooks.BeforeFlush = () => throw Killed(process); // Mapped, but not committed.
        await Assert.ThrowsAnyAsync<AshlarException>(async () => await pool.CreateVolumeAsync("thick", 40 * Chunk, isThick: true));

        await using var reopened = await ReopenAsync();
        Assert.Empty(reopened.Pool.ListVolumes());
        Assert.Equal(0, reopened.Pool.GetUsage().AllocatedBytes);
        await reopened.CreateVolumeAsync("thick", 40 * Chunk, isThick: true);
        Assert.Equal(40 * Chunk, reopened.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task A_growth_that_a_crash_interrupts_is_undone()
    {
        var process = new MortalFileSystem(disk);
        var pool = await CreateAsync(process);
        var volume = await pool.CreateVolumeAsync("thick", 20 * Chunk + 4096, isThick: true);
        await volume.WriteAsync(Lba.Zero, Random(320 + 1));
        await volume.FlushAsync();
        var flushes = 0;
        hooks.BeforeFlush = () => ++flushes == 1 ? Task.CompletedTask : throw Killed(process);
        // The first piece of the growth is committed, the crash comes before its end.
        var zeroed = 0;
        hooks.BeforeZeroes = async _ =>
        {
            if (++zeroed == 2) await pool.Pool.CommitAsync();
        };
        await Assert.ThrowsAnyAsync<AshlarException>(async () => await pool.Pool.ResizeVolumeAsync("thick", 100 * Chunk));

        await using var reopened = await ReopenAsync();
        Assert.Equal(20 * Chunk + 4096, reopened.Pool.FindVolume("thick")!.SizeBytes);
        Assert.Equal(21 * Chunk, reopened.Pool.GetUsage().AllocatedBytes);
        var found = new byte[321 * 4096];
        await reopened.Pool.OpenVolume("thick")!.ReadAsync(Lba.Zero, found);
        Assert.Equal(Random(321), found);
        await reopened.Pool.ResizeVolumeAsync("thick", 100 * Chunk);
        Assert.Equal(100 * Chunk, reopened.Pool.FindVolume("thick")!.AllocatedBytes);
    }

    [Fact]
    public async Task A_volume_that_the_disk_below_has_no_room_for_is_not_created()
    {
        await using var pool = await CreateAsync(disk);
        disk.CapacityBytes = disk.CapacityBytes - disk.GetFreeSpaceBytes("/") + (50 * Chunk);
        var error = await Assert.ThrowsAsync<DeviceFullException>(
            async () => await pool.CreateVolumeAsync("thick", 100 * Chunk, isThick: true));
        Assert.Contains("no space", error.Message, StringComparison.Ordinal);
        disk.CapacityBytes = 1L << 40;
        Assert.Empty(pool.Pool.ListVolumes());
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Null(pool.Pool.GetStatistics().Failure);
        await pool.CreateVolumeAsync("thick", 100 * Chunk, isThick: true);
    }

    [Fact]
    public async Task A_growth_that_the_disk_below_has_no_room_for_changes_nothing()
    {
        await using var pool = await CreateAsync(disk);
        await pool.CreateVolumeAsync("thick", 20 * Chunk, isThick: true);
        disk.CapacityBytes = disk.CapacityBytes - disk.GetFreeSpaceBytes("/") + (50 * Chunk);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.Pool.ResizeVolumeAsync("thick", 120 * Chunk));
        disk.CapacityBytes = 1L << 40;
        await pool.SettleAsync();
        Assert.Equal(20 * Chunk, pool.Pool.FindVolume("thick")!.SizeBytes);
        Assert.Equal(20 * Chunk, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Empty((await pool.Pool.VerifyAsync()).Problems);
        await pool.Pool.ResizeVolumeAsync("thick", 120 * Chunk);
        await pool.ReopenAsync();
        Assert.Equal(120 * Chunk, pool.Pool.FindVolume("thick")!.AllocatedBytes);
    }

    [Fact]
    public async Task Everything_can_be_written_when_pool_and_disk_are_full()
    {
        await using var pool = await CreateAsync(disk, chunks: 110);
        var thick = await pool.CreateVolumeAsync("thick", 60 * Chunk, isThick: true);
        await pool.Pool.ResizeVolumeAsync("thick", 100 * Chunk);
        var thin = await pool.CreateVolumeAsync("thin", 100 * Chunk);
        await thin.WriteAsync(Lba.Zero, new byte[10 * Chunk]);
        await thin.FlushAsync();
        disk.CapacityBytes -= disk.GetFreeSpaceBytes("/");
        Assert.Equal(0, disk.GetFreeSpaceBytes("/"));
        Assert.Equal(0, pool.Pool.GetUsage().FreeBytes);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await thin.WriteAsync(new Lba(20 * 16), new byte[4096]));
        for (var chunk = 0; chunk < 100; chunk++) await thick.WriteAsync(new Lba(chunk * 16), Random(16));
        disk.CapacityBytes = 1L << 40; // For the map alone.
        await thick.FlushAsync();
        var found = new byte[Chunk];
        await thick.ReadAsync(new Lba(99 * 16), found);
        Assert.Equal(Random(16), found);
    }

    // Data and map lie on one disk, as they do on a server, and others take what is free on it.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Its_writes_never_run_out_of_space_while_neighbours_fill_the_disk(bool isOpenedAgain)
    {
        const int leaves = 40;
        disk.CapacityBytes = 256L << 20;
        var pool = await TestPool.CreateAsync(chunks: 1000, disk: disk);
        var thick = await pool.CreateVolumeAsync("thick", leaves * MapLayout.LeafBytes, isThick: true);
        var thin = await pool.CreateVolumeAsync("thin", leaves * MapLayout.LeafBytes);
        using var neighbour = new Ballast(disk);
        neighbour.TakeAll();
        if (isOpenedAgain)
        {
            await pool.ReopenAsync();
            (thick, thin) = (pool.Pool.OpenVolume("thick")!, pool.Pool.OpenVolume("thin")!);
        }

        await Assert.ThrowsAsync<DeviceFullException>(async () => await FillAsync(thin, 1));
        for (var round = 2; round < 4; round++)
        {
            await FillAsync(thick, round);
            await CheckAsync(round);
            await thick.TrimAsync(new Lba(256), 1000); // Gives nothing back.
            neighbour.TakeAll();
        }

        await FillAsync(thick, 5);
        await pool.ReopenAsync();
        thick = pool.Pool.OpenVolume("thick")!;
        await CheckAsync(5);
        Assert.Null(pool.Pool.GetStatistics().Failure);
        neighbour.Dispose();
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
        await pool.DisposeAsync();

        async Task FillAsync(IBlockDevice volume, int round)
        {
            for (var leaf = 0; leaf < leaves; leaf++)
            {
                await volume.WriteAsync(new Lba(leaf * MapLayout.BlocksPerLeaf), Content(leaf, round));
                await volume.FlushAsync();
            }
        }

        async Task CheckAsync(int round)
        {
            var found = new byte[MapLayout.LeafBytes];
            for (var leaf = 0; leaf < leaves; leaf++)
            {
                await thick.ReadAsync(new Lba(leaf * MapLayout.BlocksPerLeaf), found);
                Assert.True(Content(leaf, round).AsSpan().SequenceEqual(found), $"leaf {leaf} of round {round}");
            }
        }

        static byte[] Content(int leaf, int round) => new SeededRandom((ulong)((round * leaves) + leaf)).Bytes(MapLayout.LeafBytes);
    }

    [Fact]
    public async Task One_that_is_larger_than_what_is_free_below_is_refused_before_it_takes_anything()
    {
        await using var pool = await CreateAsync(disk);
        disk.CapacityBytes = disk.CapacityBytes - disk.GetFreeSpaceBytes("/") + (64 * Chunk);
        var reserved = 0;
        hooks.BeforeZeroes = _ =>
        {
            reserved++;
            return Task.CompletedTask;
        };
        var error = await Assert.ThrowsAsync<DeviceFullException>(
            async () => await pool.CreateVolumeAsync("thick", 128 * Chunk, isThick: true));
        Assert.Equal(
            "main/thick: no space left: it needs 8 MiB, and 48 KiB for its map; the file system below has 4 MiB free", error.Message);
        Assert.Equal(0, reserved);
        Assert.Equal(256, pool.Pool.Space.FreeChunks);
    }

    [Fact]
    public async Task One_whose_map_is_more_than_what_is_left_below_is_refused_before_it_takes_anything()
    {
        await using var pool = await CreateAsync(disk);
        var takes = CountTakes();
        SetFreeBelow(64 * Chunk);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.CreateVolumeAsync("thick", 64 * Chunk, isThick: true));
        Assert.Equal(0, takes());
        SetFreeBelow(65 * Chunk);
        await pool.CreateVolumeAsync("thick", 64 * Chunk, isThick: true);
    }

    [Fact]
    public async Task Of_two_that_do_not_fit_together_the_second_is_refused_before_it_takes_anything()
    {
        await using var pool = await CreateAsync(disk);
        SetFreeBelow(130 * Chunk);
        var (reached, goOn, takes) = (new TaskCompletionSource(), new TaskCompletionSource(), 0);
        hooks.BeforeZeroes = _ =>
        {
            var isFirst = ++takes == 1;
            reached.TrySetResult();
            return isFirst ? goOn.Task : Task.CompletedTask;
        };
        var first = pool.CreateVolumeAsync("first", 80 * Chunk, isThick: true);
        await reached.Task;
        var refusal = await Record.ExceptionAsync(() => pool.CreateVolumeAsync("second", 80 * Chunk, isThick: true));
        var taken = takes;
        goOn.SetResult();
        await first;
        Assert.Contains(" are promised to others", Assert.IsType<DeviceFullException>(refusal).Message, StringComparison.Ordinal);
        Assert.Equal(1, taken);
        await pool.CreateVolumeAsync("third", 30 * Chunk, isThick: true);
    }

    [Fact]
    public async Task That_a_hole_could_not_be_punched_once_lets_nobody_take_more_than_there_is()
    {
        await using var pool = await CreateAsync(disk);
        hooks.BeforeTrim = _ => throw new NotSupportedException("as told");
        var thin = await pool.CreateVolumeAsync("thin", 8 << 20);
        await thin.WriteAsync(Lba.Zero, new byte[Chunk]);
        await thin.TrimAsync(Lba.Zero, 16);
        await thin.FlushAsync();
        await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal(1, pool.Pool.GetStatistics().PunchFailures);
        var takes = CountTakes();
        SetFreeBelow(64 * Chunk);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.CreateVolumeAsync("thick", 128 * Chunk, isThick: true));
        Assert.Equal(0, takes());
    }

    [Fact]
    public async Task What_could_not_be_given_back_below_is_there_for_the_next()
    {
        await using var pool = await CreateAsync(disk);
        hooks.BeforeTrim = _ => throw new NotSupportedException("as told");
        await (await pool.CreateVolumeAsync("thin", 200 * Chunk)).WriteAsync(Lba.Zero, new byte[200 * Chunk]);
        await pool.DeleteVolumeAsync("thin");
        await pool.Pool.WaitForBackgroundAsync();
        SetFreeBelow(60 * Chunk);
        var usage = pool.Pool.GetUsage();
        Assert.Equal((200 * Chunk, 256 * Chunk), (usage.UnpunchedBytes, usage.FreeBytes));
        Assert.False(usage.IsLargerThanSpaceBelow);
        await pool.CreateVolumeAsync("thick", 200 * Chunk, isThick: true);
        Assert.Equal(0, pool.Pool.GetUsage().UnpunchedBytes);
    }

    [Fact]
    public async Task One_that_has_no_room_below_yet_waits_for_what_a_deletion_gives_back()
    {
        await using var pool = await CreateAsync(disk);
        await pool.CreateVolumeAsync("first", 100 * Chunk, isThick: true);
        SetFreeBelow(20 * Chunk);
        var goOn = new TaskCompletionSource();
        _ = pool.Pool.Work.Enqueue("waiting", null, _ => new ValueTask(goOn.Task));
        await pool.Pool.DeleteVolumeAsync("first");
        var creating = pool.CreateVolumeAsync("second", 100 * Chunk, isThick: true);
        goOn.SetResult();
        await creating;
    }

    [Fact]
    public async Task One_that_fails_answers_at_once_and_its_name_is_free_whatever_else_the_pool_is_busy_with()
    {
        await using var pool = await CreateAsync(disk);
        var goOn = new TaskCompletionSource();
        var zeroed = 0;
        foreach (var failure in new Exception[] { new DeviceFullException("below", "as told"), new InvalidOperationException("as told") })
        {
            zeroed = 0;
            hooks.BeforeZeroes = _ => ++zeroed == 2 ? throw failure : Task.CompletedTask;
            _ = pool.Pool.Work.Enqueue("waiting", null, _ => new ValueTask(goOn.Task));
            var creating = pool.CreateVolumeAsync("thick", 40 * Chunk, isThick: true);
            if (await Task.WhenAny(creating, Task.Delay(TimeSpan.FromSeconds(30))) != creating) goOn.TrySetResult();
            Assert.Same(failure, await Record.ExceptionAsync(() => creating));
            Assert.False(goOn.Task.IsCompleted);
        }

        await pool.CreateVolumeAsync("thick", 4096);
        goOn.SetResult();
        await pool.SettleAsync();
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        await pool.ReopenAsync();
        Assert.Equal(4096, Assert.Single(pool.Pool.ListVolumes()).SizeBytes);
        Assert.Empty((await pool.Pool.VerifyAsync()).Problems);
    }

    // Whoever finds it at once must not be told that it has no bytes.
    [Fact]
    public async Task One_that_is_there_has_its_size()
    {
        var process = new MortalFileSystem(disk);
        await using var pool = await CreateAsync(process);
        var before = 0L;
        process.BeforeSync = _ =>
        {
            if (pool.Pool.Catalogue.FindLineage(1) is { Record.IsBeingCreated: true } volume) before = volume.SizeBytes;
        };
        await pool.CreateVolumeAsync("thick", 40 * Chunk, isThick: true);
        Assert.Equal(40 * Chunk, before);
    }

    [Fact]
    public async Task A_kept_chunk_of_an_earlier_program_takes_no_more_of_a_full_map_and_gets_its_room_later()
    {
        disk.CapacityBytes = 64L << 20;
        var storeOptions = new KeyValueOptions { MemTableBytes = 1 << 20, TableBytes = 1 << 20, LogSegmentBytes = 64 << 10 };
        await using var pool = await TestPool.CreateAsync(chunks: 64, disk: disk, storeOptions: storeOptions);
        var thick = await pool.CreateVolumeAsync("thick", 16 * Chunk, isThick: true);
        await thick.WriteAsync(Lba.Zero, Random(2));
        await thick.WriteAsync(new Lba(240), Random(1));
        await pool.Pool.DisposeAsync();
        var key = new byte[MapKeys.LeafBytes];
        MapKeys.WriteLeaf(key, 1, 0);
        using (var store = TestPool.OpenStore(disk, storeOptions)) store.Put(key, AsEarlierPrograms(store.Get(key)!));

        await using var full = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2), storeOptions: storeOptions);
        thick = full.Pool.OpenVolume("thick")!;
        var length = full.Pool.Store.Get(key)!.Length;
        using var neighbour = new Ballast(disk);
        for (var i = 0; i < 4000 && !full.Pool.GetStatistics().IsMapDiskFull; i++)
        {
            neighbour.TakeAll();
            await full.Pool.CommitAsync();
            await thick.WriteAsync(new Lba(240), Random(1)); // Another chunk, which gets its room as long as there is some.
        }

        Assert.True(full.Pool.GetStatistics().IsMapDiskFull);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await thick.WriteAsync(new Lba(2), Random(1)));
        await thick.WriteAsync(Lba.Zero, Random(2));
        await thick.WriteZeroesAsync(new Lba(17), 1);
        await full.Pool.CommitAsync();
        neighbour.Dispose();
        await full.Pool.CommitAsync();
        Assert.False(full.Pool.GetStatistics().IsMapDiskFull);
        await thick.WriteAsync(new Lba(2), Random(1));
        await full.Pool.CommitAsync();
        var found = full.Pool.Store.Get(key)!;
        Assert.Equal((2, length + ((14 + 15) * sizeof(uint))), (found[0], found.Length));
        Assert.Empty((await full.Pool.VerifyAsync(readData: true)).Problems);

        static byte[] AsEarlierPrograms(byte[] leaf)
        {
            var map = new LeafMap();
            var version = LeafFormat.Read(leaf, map, long.MaxValue, "pool", 0);
            foreach (ref var entry in map.Entries.AsSpan()) entry.LacksRoom = true;
            var bytes = new byte[LeafFormat.MaxBytes];
            return bytes[..LeafFormat.Write(bytes, map, version)];
        }
    }

    [Fact]
    public async Task One_that_is_being_filled_is_not_there_yet_and_its_name_is_taken()
    {
        await using var pool = await CreateAsync(disk);
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        hooks.BeforeZeroes = _ =>
        {
            reached.TrySetResult();
            return goOn.Task;
        };
        var creating = pool.CreateVolumeAsync("thick", 40 * Chunk, isThick: true);
        await reached.Task;
        Assert.Null(pool.Pool.FindVolume("thick"));
        Assert.Null(pool.Pool.OpenVolume("thick"));
        var error = await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.CreateVolumeAsync("thick", 4096));
        Assert.Equal(VolumeNameProblem.Taken, error.Problem);
        await pool.CreateVolumeAsync("other", 4096); // Nothing else waits for it.
        goOn.SetResult();
        Assert.Equal(40 * Chunk, (await creating).Geometry.SizeBytes);
        Assert.NotNull(pool.Pool.FindVolume("thick"));
    }

    [Fact]
    public async Task A_volume_deleted_while_it_grows_is_gone_with_all_of_its_space()
    {
        await using var pool = await CreateAsync(disk);
        await pool.CreateVolumeAsync("thick", 20 * Chunk, isThick: true);
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        hooks.BeforeZeroes = _ =>
        {
            reached.TrySetResult();
            return goOn.Task;
        };
        var growing = pool.Pool.ResizeVolumeAsync("thick", 120 * Chunk).AsTask();
        await reached.Task;
        var deletion = await pool.Pool.DeleteVolumeAsync("thick");
        goOn.SetResult();
        await Assert.ThrowsAsync<VolumeDeletedException>(() => growing);
        await deletion.Completion;
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        await pool.ReopenAsync();
        Assert.Empty(pool.Pool.ListVolumes());
        Assert.Empty((await pool.Pool.VerifyAsync()).Problems);
    }

    void SetFreeBelow(long bytes) => disk.CapacityBytes += bytes - disk.GetFreeSpaceBytes("/");

    Func<int> CountTakes()
    {
        var takes = 0;
        hooks.BeforeZeroes = _ =>
        {
            takes++;
            return Task.CompletedTask;
        };
        return () => takes;
    }

    Task<TestPool> CreateAsync(IFileSystem files, int chunks = 256) =>
        TestPool.CreateAsync(chunks, disk: files, wrap: device => hooks = new HookedDevice(device));

    async Task<TestPool> ReopenAsync()
    {
        var pool = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        await pool.SettleAsync();
        return pool;
    }

    /// <summary>What others put on the disk.</summary>
    sealed class Ballast(SimulatedFileSystem disk) : IDisposable
    {
        readonly IFile file = disk.Open("/ballast", FileOpenMode.CreateNew);
        long bytes;
        bool isGone;

        public void TakeAll()
        {
            while (!isGone && disk.GetFreeSpaceBytes("/") is var free and > 0)
            {
                file.Allocate(bytes, free);
                bytes += free;
            }
        }

        public void Dispose()
        {
            if (isGone) return;
            isGone = true;
            file.Dispose();
            disk.Delete("/ballast");
        }
    }

    static DeviceIOException Killed(MortalFileSystem process)
    {
        process.Kill();
        return new DeviceIOException("below", "the process was killed", isTransient: false);
    }

    static byte[] Random(int blocks) => new SeededRandom(7).Bytes(blocks * 4096);
}
