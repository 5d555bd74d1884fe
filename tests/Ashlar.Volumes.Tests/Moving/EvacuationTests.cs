using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>A part of the device is emptied while volumes, snapshots and clones stay what they are.</summary>
public sealed class EvacuationTests
{
    const long PartBytes = 64 * MapLayout.ChunkBytes;

    [Fact]
    public async Task What_is_shared_stays_shared_and_the_part_is_empty_for_good()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 256);
        var (volume, clone, snapshot) = await FillAsync(pool);
        var before = pool.Pool.GetUsage();
        var evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        Assert.True(evacuation.TotalBytes > 20 * MapLayout.ChunkBytes, $"{evacuation.TotalBytes} bytes");
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        await CheckAsync(pool, volume, clone, snapshot);
        var usage = pool.Pool.GetUsage();
        Assert.Equal(0, evacuation.RemainingBytes);
        Assert.Equal(0, evacuation.DamagedBlocks);
        Assert.Equal(before.CapacityBytes - PartBytes, usage.CapacityBytes);
        Assert.InRange(usage.AllocatedBytes, before.AllocatedBytes - MapLayout.ChunkBytes, before.AllocatedBytes + MapLayout.ChunkBytes);

        await pool.ReopenAsync();
        Assert.Equal([new PoolRange(2 * MapLayout.ChunkBytes, PartBytes, IsEmpty: true)], pool.Pool.ListBarredRanges());
        Assert.Equal(usage.CapacityBytes, pool.Pool.GetUsage().CapacityBytes);
        await CheckAsync(pool, volume, clone, snapshot);
        await FillUpAsync(pool);
        using var view = await pool.Pool.OpenMapViewAsync();
        foreach (var each in view.Volumes)
            foreach (var run in view.ReadRuns(each)) Assert.True(run.PlaceBytes >= (2 * MapLayout.ChunkBytes) + PartBytes);
        Assert.False(await pool.Pool.CancelEvacuationAsync(2 * MapLayout.ChunkBytes));
    }

    [Fact]
    public async Task What_does_not_fit_into_the_rest_is_refused_and_says_what_is_missing()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 100);
        var volume = await pool.CreateVolumeAsync("a", 80 * MapLayout.ChunkBytes);
        await volume.WriteAsync(Lba.Zero, new byte[80 * MapLayout.ChunkBytes]);
        await volume.FlushAsync();
        var refused = await Assert.ThrowsAsync<DeviceFullException>(
            () => pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, 50 * MapLayout.ChunkBytes).AsTask());
        Assert.Contains("1.87 MiB (1966080 bytes) are missing", refused.Message);
        Assert.Empty(pool.Pool.ListBarredRanges());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.Pool.BeginEvacuationAsync(0, 10 * MapLayout.ChunkBytes).AsTask());
    }

    [Fact]
    public async Task One_that_is_stopped_goes_on_or_is_put_back_into_use()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 256);
        var (volume, clone, snapshot) = await FillAsync(pool);
        var capacity = pool.Pool.GetUsage().CapacityBytes;
        var evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await evacuation.RunAsync(
            (_, _) =>
            {
                stop.Cancel();
                return ValueTask.CompletedTask;
            },
            stop.Token));
        await pool.ReopenAsync();
        Assert.Equal([new PoolRange(2 * MapLayout.ChunkBytes, PartBytes, IsEmpty: false)], pool.Pool.ListBarredRanges());
        Assert.True(await pool.Pool.CancelEvacuationAsync(2 * MapLayout.ChunkBytes));
        Assert.Equal(capacity, pool.Pool.GetUsage().CapacityBytes);
        Assert.Empty(pool.Pool.ListBarredRanges());
        evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        await pool.ReopenAsync();
        evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        await CheckAsync(pool, volume, clone, snapshot);
    }

    [Fact]
    public async Task What_is_damaged_stays_damaged_and_is_counted()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 256);
        var volume = await pool.CreateVolumeAsync("a", 1 << 20);
        await volume.WriteAsync(Lba.Zero, Pattern(1 << 20, 1));
        await volume.FlushAsync();
        await pool.Pool.TakeSnapshotAsync("a", "s");
        BlockRun run;
        using (var view = await pool.Pool.OpenMapViewAsync()) run = view.ReadRuns(view.Volumes[0]).First();
        var broken = new byte[4096];
        broken[5] = 7;
        await pool.Pool.Parts.Device.WriteAsync(new Lba((run.PlaceBytes / 4096) + 3), broken);
        var evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.Equal(1, evacuation.DamagedBlocks);
        var block = new byte[4096];
        await Assert.ThrowsAsync<CorruptDataException>(() => volume.ReadAsync(new Lba(3), block).AsTask());
        await Assert.ThrowsAsync<CorruptDataException>(() => pool.Pool.OpenSnapshot("a", "s")!.ReadAsync(new Lba(3), block).AsTask());
        await volume.ReadAsync(new Lba(4), block);
        Assert.True(block.AsSpan().SequenceEqual(Pattern(1 << 20, 1).AsSpan(4 * 4096, 4096)));
        await pool.ReopenAsync();
        await Assert.ThrowsAsync<CorruptDataException>(() => pool.Pool.OpenVolume("a")!.ReadAsync(new Lba(3), block).AsTask());
    }

    [Fact]
    public async Task What_cannot_be_read_stays_damaged_and_does_not_hold_the_part_up()
    {
        FaultyDevice? faults = null;
        await using var pool = await TestPool.CreateAsync(
            chunks: 256, wrap: device => faults = new FaultyDevice(device, new SeededEntropy(1)));
        var volume = await pool.CreateVolumeAsync("a", 1 << 20);
        await volume.WriteAsync(Lba.Zero, Pattern(1 << 20, 1));
        await volume.FlushAsync();
        BlockRun run;
        using (var view = await pool.Pool.OpenMapViewAsync()) run = view.ReadRuns(view.Volumes[0]).First();
        faults!.Add(DeviceFault.BadBlocks(new Lba((run.PlaceBytes / 4096) + 3)));
        var evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.Equal(1, evacuation.DamagedBlocks);
        var block = new byte[4096];
        await Assert.ThrowsAsync<CorruptDataException>(() => volume.ReadAsync(new Lba(3), block).AsTask());
        await volume.ReadAsync(new Lba(2), block);
        Assert.True((await pool.Pool.VerifyAsync()).IsClean);
    }

    [Fact]
    public async Task Writers_go_on_meanwhile_and_find_what_they_wrote()
    {
        var seed = TestSeeds.Several(nameof(EvacuationTests), 1)[0];
        await using var pool = await TestPool.CreateAsync(chunks: 400, options: TestPool.DefaultOptions(seed));
        var volumes = new List<VolumeModel>();
        for (var i = 0; i < 3; i++)
        {
            var device = await pool.CreateVolumeAsync($"v{i}", 3 << 20);
            volumes.Add(new VolumeModel(device, new byte[3 << 20]));
            await volumes[i].WriteAsync(new SeededRandom(seed + (ulong)i), 300);
        }

        await pool.Pool.TakeSnapshotsAsync([("v0", "s"), ("v1", "s")]);
        using var stop = new CancellationTokenSource();
        var writers = volumes.Select((volume, i) => Task.Run(async () =>
        {
            var random = new SeededRandom(seed * 31 + (ulong)i);
            while (!stop.IsCancellationRequested)
            {
                await volume.WriteAsync(random, 40);
                if (random.OneIn(5)) await volume.Device.FlushAsync();
                if (random.OneIn(3)) await volume.CheckAllAsync($"seed {seed}");
            }
        })).ToArray();
        for (var round = 0; round < 30; round++)
        {
            var first = MapLayout.ReservedChunks + ((round * 37) % 200);
            await PlaceMoves.MoveAsync(pool.Pool, (first, first + 80));
            if (writers.Any(static writer => writer.IsFaulted)) break;
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        foreach (var volume in volumes) await volume.CheckAllAsync($"seed {seed}");
        await pool.Pool.CommitAsync();
        var found = await pool.Pool.VerifyAsync(readData: true);
        Assert.True(found.IsClean, $"seed {seed}: {string.Join("; ", found.Problems.Take(5))}");
    }

    [Fact]
    public async Task A_thick_volume_keeps_its_promise_of_space()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 200);
        var volume = await pool.CreateVolumeAsync("a", 2 << 20, isThick: true);
        await volume.WriteAsync(new Lba(3), Pattern(4096, 1));
        await volume.FlushAsync();
        var evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        await pool.ReopenAsync();
        Assert.Equal(2 << 20, pool.Pool.FindVolume("a")!.AllocatedBytes);
        await FillUpAsync(pool);
        await pool.Pool.OpenVolume("a")!.WriteAsync(Lba.Zero, Pattern(2 << 20, 2));
        await pool.Pool.OpenVolume("a")!.FlushAsync();
        Assert.True((await pool.Pool.VerifyAsync(readData: true)).IsClean);
    }

    [Fact]
    public async Task A_pool_does_not_grow_on_a_device_that_leaves_or_has_left()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 256);
        const long offset = (258 - 64) * (long)MapLayout.ChunkBytes;
        var capacity = pool.Pool.GetUsage().CapacityBytes;
        var evacuation = await pool.Pool.BeginEvacuationAsync(offset, PartBytes);
        var refused = await Assert.ThrowsAsync<PoolGrowthException>(() => pool.Pool.GrowAsync(capacity + PartBytes).AsTask());
        Assert.Contains("its last device is being taken out", refused.Message, StringComparison.Ordinal);
        Assert.Throws<PoolGrowthException>(() => pool.Pool.CheckGrowth(capacity));
        pool.Pool.CheckGrowth(pool.Pool.GetUsage().CapacityBytes);
        Assert.Equal(capacity, pool.Pool.FullCapacityBytes);
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        refused = await Assert.ThrowsAsync<PoolGrowthException>(() => pool.Pool.GrowAsync(capacity).AsTask());
        Assert.Contains("its last device was taken out", refused.Message, StringComparison.Ordinal);
        Assert.Equal(capacity - PartBytes, pool.Pool.FullCapacityBytes);
        Assert.Equal(258 * (long)MapLayout.ChunkBytes, pool.Pool.Parts.Device.Geometry.SizeBytes);
        await pool.Pool.DisposeAsync();
        using (var store = TestPool.OpenStore(pool.Disk)) Assert.Equal(capacity - PartBytes, StoragePool.FindCapacityBytes(store));
        await pool.ReopenAsync();
    }

    [Fact]
    public async Task What_the_pool_has_not_grown_over_leaves_with_its_device()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 62);
        await (await pool.CreateVolumeAsync("a", 4 << 20)).WriteAsync(Lba.Zero, Pattern(1 << 20, 1));
        await LengthenAsync(pool, 16);
        var evacuation = await pool.Pool.BeginEvacuationAsync(48 * MapLayout.ChunkBytes, 32 * MapLayout.ChunkBytes);
        await LengthenAsync(pool, 16);
        Assert.Equal([new PoolRange(48 * MapLayout.ChunkBytes, 32 * MapLayout.ChunkBytes, IsEmpty: false)], pool.Pool.ListBarredRanges());
        // The device has become longer: it leaves with that, too.
        evacuation = await pool.Pool.BeginEvacuationAsync(48 * MapLayout.ChunkBytes, 48 * MapLayout.ChunkBytes);
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.Equal([new PoolRange(48 * MapLayout.ChunkBytes, 48 * MapLayout.ChunkBytes, IsEmpty: true)], pool.Pool.ListBarredRanges());
        await LengthenAsync(pool, 16);
        await pool.Pool.GrowOverDeviceAsync(); // Over a further device, behind the one that has left.
        Assert.Equal((46 + 16) * MapLayout.ChunkBytes, pool.Pool.GetUsage().CapacityBytes);
        await FillUpAsync(pool);
        await pool.Pool.CommitAsync();
        using (var view = await pool.Pool.OpenMapViewAsync())
        {
            foreach (var run in view.Volumes.SelectMany(each => view.ReadRuns(each)))
                Assert.False(run.PlaceBytes is >= 48 * MapLayout.ChunkBytes and < 96 * MapLayout.ChunkBytes, $"{run.PlaceBytes}");
        }

        Assert.True((await pool.Pool.VerifyAsync(readData: true)).IsClean);
        await pool.ReopenAsync();
        Assert.Equal((46 + 16) * MapLayout.ChunkBytes, pool.Pool.GetUsage().CapacityBytes);

        var beyond = await pool.Pool.BeginEvacuationAsync(96 * MapLayout.ChunkBytes, 16 * MapLayout.ChunkBytes).AsTask()
            .ContinueWith(static task => task.Exception?.InnerException, TaskScheduler.Default);
        Assert.IsType<DeviceFullException>(beyond);
    }

    [Fact]
    public async Task A_device_wholly_behind_what_the_pool_has_leaves_at_once()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 62);
        await LengthenAsync(pool, 32);
        var evacuation = await pool.Pool.BeginEvacuationAsync(72 * MapLayout.ChunkBytes, 24 * MapLayout.ChunkBytes);
        Assert.Equal(0, evacuation.TotalBytes);
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        await pool.ReopenAsync();
        Assert.Equal([new PoolRange(72 * MapLayout.ChunkBytes, 24 * MapLayout.ChunkBytes, IsEmpty: true)], pool.Pool.ListBarredRanges());
        await pool.Pool.GrowOverDeviceAsync();
        Assert.Equal(70 * MapLayout.ChunkBytes, pool.Pool.GetUsage().CapacityBytes);
    }

    [Fact]
    public async Task One_that_was_put_back_into_use_meanwhile_does_not_end_another_one()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 256);
        await FillAsync(pool);
        var first = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        Assert.True(await first.CancelAsync());
        Assert.False(await first.CancelAsync());
        var second = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => first.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.False(await first.CancelAsync());
        Assert.Equal([new PoolRange(2 * MapLayout.ChunkBytes, PartBytes, IsEmpty: false)], pool.Pool.ListBarredRanges());
        await second.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.True((await pool.Pool.VerifyAsync()).IsClean);
    }

    [Fact]
    public async Task A_pool_that_is_full_for_a_moment_does_not_end_it()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 160);
        await (await pool.CreateVolumeAsync("a", 2 << 20)).WriteAsync(Lba.Zero, Pattern(2 << 20, 1));
        var evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        await FillUpAsync(pool);
        await pool.Pool.TrashVolumeAsync("filler");
        await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.True((await pool.Pool.VerifyAsync(readData: true)).IsClean);
    }

    [Fact]
    public async Task A_read_under_way_finds_what_was_moved_when_the_old_place_is_no_more()
    {
        HookedDevice? hooks = null;
        await using var pool = await TestPool.CreateAsync(chunks: 256, wrap: device => hooks = new HookedDevice(device));
        var volume = await pool.CreateVolumeAsync("a", 1 << 20);
        var content = Pattern(1 << 20, 1);
        await volume.WriteAsync(Lba.Zero, content);
        await volume.FlushAsync();
        var evacuation = await pool.Pool.BeginEvacuationAsync(2 * MapLayout.ChunkBytes, PartBytes);
        var isFirst = true;
        hooks!.BeforeRead = async _ =>
        {
            if (!isFirst) return;
            isFirst = false;
            await Task.Run(async () => await evacuation.RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None));
            throw new DeviceIOException("gone", "there are no blocks any more", isTransient: false);
        };
        var found = new byte[1 << 20];
        await volume.ReadAsync(Lba.Zero, found);
        Assert.Equal(content, found);
        Assert.False(isFirst);
    }

    // By a device that has become longer while the pool was closed.
    static async Task LengthenAsync(TestPool pool, int chunks)
    {
        await pool.Pool.DisposeAsync();
        using (var file = pool.Disk.Open("/pool.data", FileOpenMode.Existing))
            file.SetLength(file.LengthBytes + (chunks * (long)MapLayout.ChunkBytes));
        await pool.ReopenAsync();
    }

    static async Task<(byte[] Volume, byte[] Clone, byte[] Snapshot)> FillAsync(TestPool pool)
    {
        var volume = await pool.CreateVolumeAsync("a", 2 << 20);
        var content = Pattern(2 << 20, 1);
        await volume.WriteAsync(Lba.Zero, content);
        await pool.Pool.TakeSnapshotAsync("a", "s");
        var snapshot = content.ToArray();
        await pool.Pool.CloneAsync("a", "s", "b");
        var cloned = content.ToArray();
        for (var block = 0; block < 512; block += 5)
        {
            var data = Pattern(4096, (byte)(block + 3));
            await volume.WriteAsync(new Lba(block), data);
            data.CopyTo(content, block * 4096);
            if (block % 3 != 0) continue;
            await pool.Pool.OpenVolume("b")!.WriteAsync(new Lba(block + 1), data);
            data.CopyTo(cloned, (block + 1) * 4096);
        }

        await volume.FlushAsync();
        return (content, cloned, snapshot);
    }

    static async Task CheckAsync(TestPool pool, byte[] volume, byte[] clone, byte[] snapshot)
    {
        await new VolumeModel(pool.Pool.OpenVolume("a")!, volume).CheckAllAsync("volume");
        await new VolumeModel(pool.Pool.OpenVolume("b")!, clone).CheckAllAsync("clone");
        await new VolumeModel(pool.Pool.OpenSnapshot("a", "s")!, snapshot).CheckAllAsync("snapshot");
        var found = await pool.Pool.VerifyAsync(readData: true);
        Assert.True(found.IsClean, string.Join("; ", found.Problems.Take(5)));
    }

    static async Task FillUpAsync(TestPool pool)
    {
        var filler = await pool.CreateVolumeAsync("filler", 32 << 20);
        try
        {
            for (var i = 0; i < 512; i++) await filler.WriteAsync(new Lba(i * 16), Pattern(MapLayout.ChunkBytes, (byte)i));
        }
        catch (DeviceFullException)
        {
            return;
        }

        Assert.Fail("the pool did not become full");
    }

    static byte[] Pattern(int length, byte seed)
    {
        var data = new byte[length];
        for (var i = 0; i < length; i++) data[i] = (byte)((i * 7) + (i / 4096) + seed);
        return data;
    }
}
