using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>What is known of damage is neither lost nor kept quiet from one opening to the next.</summary>
public sealed class DamageRecheckTests
{
    const int Seed = 5;

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly DamagedRange damaged = new(0, 4096, IsMap: false);
    HookedDevice hooks = null!;
    Func<Lba, Task> beforeRead = _ => Task.CompletedTask;

    [Fact]
    public async Task Damage_counts_before_anybody_has_looked_again()
    {
        await using var pool = await DamagedAsync();
        var mayRead = new TaskCompletionSource();
        beforeRead = _ => mayRead.Task;
        await pool.ReopenAsync();
        Assert.Equal(1, pool.Pool.GetDamage().Blocks);
        Assert.Equal(["disk"], pool.Pool.GetDamage().Volumes);
        Assert.Equal(
            "pool main: data of volume disk, bytes 0 to 4095, was damaged before the pool was opened, and has not been read since",
            Assert.Single(pool.Pool.GetDamage().First));
        Assert.Equal([damaged], pool.Pool.ListDamage("disk"));
        Assert.Equal(1, pool.Pool.FindVolume("disk")!.DamagedBlocks);
        mayRead.SetResult();
        await pool.SettleAsync();
        Assert.Contains("checksum mismatch", Assert.Single(pool.Pool.GetDamage().First), StringComparison.Ordinal);
        Assert.Equal((1, 1L), (pool.Pool.GetDamage().Blocks, pool.Pool.FindVolume("disk")!.DamagedBlocks));
    }

    [Fact]
    public async Task It_is_looked_at_again_whatever_else_the_pool_is_busy_with()
    {
        await using var pool = await DamagedAsync();
        var other = await pool.CreateVolumeAsync("other", 1 << 20);
        await other.WriteAsync(Lba.Zero, CrashedPool.Content(1));
        var mayFlush = new TaskCompletionSource();
        // So that the deletion is still to be made.
        hooks.BeforeFlush = () => throw new DeviceIOException("below", "as told", isTransient: false);
        await pool.Pool.DeleteVolumeAsync("other");
        await Record.ExceptionAsync(async () => await pool.Pool.DisposeAsync());
        Flip(); // Somebody has mended it.
        await using var after = await TestPool.OpenAsync(
            disk, TestPool.DefaultOptions(2), wrap: device => new HookedDevice(device) { BeforeFlush = () => mayFlush.Task });
        try
        {
            await Task.WhenAny(after.Pool.Recheck.Idle, Task.Delay(TimeSpan.FromSeconds(30)));
            Assert.True(after.Pool.Work.IsBusy);
            Assert.Equal(0, after.Pool.GetDamage().Blocks);
        }
        finally
        {
            mayFlush.SetResult();
        }

        await after.SettleAsync();
    }

    [Fact]
    public async Task A_block_that_cannot_be_read_at_all_stays_on_the_list()
    {
        await using var pool = await DamagedAsync();
        beforeRead = _ => throw new DeviceIOException("below", "as told", isTransient: false);
        for (var life = 0; life < 2; life++)
        {
            await pool.ReopenAsync();
            await pool.SettleAsync();
            Assert.Equal([damaged], pool.Pool.ListDamage("disk"));
        }

        beforeRead = _ => Task.CompletedTask;
        await pool.ReopenAsync();
        await pool.SettleAsync();
        Assert.Equal([damaged], pool.Pool.ListDamage("disk"));
        await pool.Pool.OpenVolume("disk")!.WriteAsync(Lba.Zero, CrashedPool.Content(6));
        Assert.Empty(pool.Pool.ListDamage("disk"));
    }

    [Fact]
    public async Task Damage_met_by_a_pool_that_refuses_writes_is_known_to_the_next_opening()
    {
        await using var pool = await DamagedAsync(isMet: false);
        await pool.Pool.OpenVolume("disk")!.WriteAsync(new Lba(5), CrashedPool.Content(6));
        hooks.BeforeFlush = () => throw new DeviceIOException("below", "as told", isTransient: false);
        await Assert.ThrowsAsync<DeviceIOException>(async () => await pool.Pool.OpenVolume("disk")!.FlushAsync());
        Assert.NotNull(pool.Pool.GetStatistics().Failure);
        await MeetAsync(pool);
        await pool.ReopenAsync();
        Assert.Equal([damaged], pool.Pool.ListDamage("disk"));
    }

    // A store that keeps no reserve, and cannot grow.
    [Fact]
    public async Task Damage_met_on_a_full_disk_is_written_down_when_there_is_room_again()
    {
        var faulty = new FaultyFileSystem(disk);
        var options = new KeyValueOptions { MemTableBytes = 1 << 20, LogSegmentBytes = 1024, SpaceReserveBytes = 0 };
        await using var pool = await DamagedAsync(isMet: false, faulty, options);
        faulty.Add(new FaultRule(FaultOperations.Allocate | FaultOperations.Write, FaultKind.NoSpace)
        {
            PathPattern = "/map/table*",
            IsSticky = true,
        });
        faulty.Add(new FaultRule(FaultOperations.Allocate, FaultKind.NoSpace) { PathPattern = "/map/log-*", IsSticky = true });
        Exception? refusal = null;
        for (var i = 0; i < 40 && refusal is null; i++)
            refusal = await Record.ExceptionAsync(async () => await pool.CreateVolumeAsync($"more{i}", 1 << 20));
        Assert.IsType<DeviceFullException>(refusal);
        await MeetAsync(pool);
        await pool.Pool.DamageWriter.SaveAsync(mayUseReserve: false);
        Assert.Null(pool.Pool.Store.Get(MapKeys.Damage));
        faulty.Heal();
        await pool.Pool.OpenVolume("disk")!.WriteAsync(new Lba(5), CrashedPool.Content(6));
        await pool.Pool.CommitAsync();
        await pool.Pool.DamageWriter.SaveAsync(mayUseReserve: false);
        Assert.NotNull(pool.Pool.Store.Get(MapKeys.Damage));
        Assert.Null(pool.Pool.GetStatistics().Failure);
    }

    // Others take whatever becomes free; the store keeps something for those who must write.
    [Fact]
    public async Task Damage_met_on_a_full_disk_is_known_to_the_next_opening()
    {
        disk.CapacityBytes = 64 << 20;
        await using var pool = await DamagedAsync(isMet: false);
        using (var ballast = disk.Open("/ballast", FileOpenMode.CreateNew))
        {
            for (long taken = 0; disk.GetFreeSpaceBytes("/") is var free and > 0; taken += free) ballast.Allocate(taken, free);
            Exception? refusal = null;
            for (var i = 0; i < 4000 && refusal is null; i++)
                refusal = await Record.ExceptionAsync(async () => await pool.CreateVolumeAsync($"more{i}", 1 << 20));
            Assert.IsType<DeviceFullException>(refusal);
            await MeetAsync(pool);
            await pool.ReopenAsync();
        }

        Assert.Equal([damaged], pool.Pool.ListDamage("disk"));
    }

    [Fact]
    public async Task All_that_is_counted_is_known_to_the_next_opening_and_a_list_that_was_cut_says_so()
    {
        var log = new DamageLog(new PoolEvents("main", null));
        log.Expect(Enumerable.Range(0, DamageLog.MaxRemembered).Select(i => new DamagedPlace(1, i, 7)));
        Assert.Equal((DamageLog.MaxRemembered, false), (log.Describe(3, _ => "disk").Blocks, log.Describe(3, _ => "disk").IsCut));
        log.Expect([new(1, DamageLog.MaxRemembered, 7)]);
        var all = log.Describe(3, _ => "disk");
        Assert.Equal((DamageLog.MaxRemembered, 3, true), (all.Blocks, all.First.Count, all.IsCut));
        log.Looked(new(1, 3, 7));

        await using var pool = await DamagedAsync(isMet: false);
        Assert.True(log.TryTakeChanges(DamageLog.MaxRemembered, out var places));
        log.PutChangesBack();
        await new DamageLogWriter(log, pool.Pool.Parts.Metadata).SaveAsync(mayUseReserve: false);
        Assert.Equal(DamageLog.MaxRemembered - 1, DamagedPlace.Read(pool.Pool.Store.Get(MapKeys.Damage)!).Count);
        Assert.Equal(places, DamagedPlace.Read(pool.Pool.Store.Get(MapKeys.Damage)!));
        Assert.False(log.TryTakeChanges(DamageLog.MaxRemembered, out _));
    }

    [Fact]
    public void Blocks_and_pieces_of_the_map_are_told_with_the_volumes_that_have_them()
    {
        var log = new DamageLog(new PoolEvents("main", null));
        log.Expect([new(1, 0, 7), new(2, 4, DamagedPlace.WholeLeaf), new(2, 5, DamagedPlace.WholeLeaf), new(3, 0, 9)]);
        var all = log.Describe(0, lineage => lineage == 3 ? null : $"vm{lineage}");
        Assert.Equal((2, 2), (all.Blocks, all.MapPieces));
        Assert.Equal(["vm1"], all.VolumesWithBlocks);
        Assert.Equal(["vm2"], all.VolumesWithMapPieces);
        Assert.Equal(["vm1", "vm2"], all.Volumes);
        Assert.Equal((0, 2), log.CountOf(2));
        log.HealedMap(2, 4);
        Assert.Equal((0, 1), log.CountOf(2));
        log.Forget(2);
        Assert.Equal(default, log.CountOf(2));
        Assert.Equal((1, 0), log.CountOf(1));
        Assert.Empty(log.Describe(0, lineage => $"vm{lineage}").VolumesWithMapPieces);
    }

    async Task<TestPool> DamagedAsync(bool isMet = true, IFileSystem? files = null, KeyValueOptions? storeOptions = null)
    {
        var pool = await TestPool.CreateAsync(
            disk: files ?? disk,
            wrap: device => hooks = new HookedDevice(device) { BeforeRead = lba => IsData(lba) ? beforeRead(lba) : Task.CompletedTask },
            storeOptions: storeOptions);
        var volume = await pool.CreateVolumeAsync("disk", 8 << 20);
        await volume.WriteAsync(Lba.Zero, CrashedPool.Content(Seed));
        await volume.FlushAsync();
        Flip();
        if (isMet) await MeetAsync(pool);
        return pool;
    }

    static bool IsData(Lba lba) => lba.Value >= MapLayout.ReservedChunks * MapLayout.BlocksPerChunk;

    static async Task MeetAsync(TestPool pool) => await Assert.ThrowsAsync<CorruptDataException>(
        async () => await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, 0));

    // The first window of 16 chunks that is all free, the first block of it.
    void Flip()
    {
        const long offset = 16L * MapLayout.ChunkBytes;
        using var file = disk.Open("/pool.data", FileOpenMode.Existing);
        var one = new byte[1];
        file.Read(one, offset);
        one[0] ^= 0x10;
        file.Write(one, offset);
    }
}
