using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>The sweep after a crash: what it cannot look at costs that and nothing else, and what was found stays found.</summary>
public sealed class SweepTests
{
    const int BlocksPerLeaf = MapLayout.BlocksPerLeaf;

    static readonly PoolOptions Slow = TestPool.DefaultOptions(2) with { SweepBytesPerSecond = 1, MarkerQuietTime = TimeSpan.Zero };

    [Fact]
    public async Task A_piece_of_the_map_that_cannot_be_read_now_does_not_keep_it_from_the_others()
    {
        var crashed = await CrashedAsync(leaves: 4);
        var faulty = new FaultyFileSystem(crashed.Disk);
        var reads = 0;
        await using var pool = await TestPool.OpenAsync(
            faulty,
            TestPool.DefaultOptions(2),
            storeOptions: new KeyValueOptions { MemTableBytes = 1 << 20, BlockCacheBytes = 0 },
            wrap: device => new HookedDevice(device)
            {
                // After the first piece has been loaded. The superblocks are read before.
                BeforeRead = start =>
                {
                    if (start.Value >= 2 * MapLayout.ChunkBytes / 4096 && reads++ == 0)
                        faulty.Add(
                            new FaultRule(
                                FaultOperations.Read, FaultKind.InputOutputError)
                            { PathPattern = "/map/table*", IsSticky = true });
                    return Task.CompletedTask;
                },
            });
        await pool.Pool.WaitForBackgroundAsync();
        Assert.True(faulty.FiredCount > 0, "no read failed");
        Assert.Equal((false, 4L), (pool.Pool.GetStatistics().Recovery.IsRunning, pool.Pool.GetStatistics().Recovery.DoneLeaves));
        Assert.Equal(1, pool.Pool.GetStatistics().UnverifiedBlocks);

        faulty.Heal();
        var volume = pool.Pool.OpenVolume("disk")!;
        for (var leaf = 0; leaf < 4; leaf++)
            Assert.Equal(CrashedPool.Content(10 + leaf), await CrashedPool.ReadAsync(volume, (long)leaf * BlocksPerLeaf));
    }

    [Fact]
    public async Task A_sector_that_cannot_be_read_does_not_keep_it_from_the_other_blocks_of_the_MiB()
    {
        var crashed = await CrashedPool.CreateAsync();
        await crashed.WriteAsync(0, 1, 4);
        await crashed.CommitAsync();
        for (var block = 0; block < 4; block++) await crashed.WriteAsync(block, 10 + block);
        await crashed.Volume.FlushAsync();
        crashed.Kill();
        var sick = CrashedPool.Find(crashed.Disk, CrashedPool.Content(12)) / 4096;
        await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(2), wrap: device => new HookedDevice(device)
        {
            BeforeRead = start => start.Value == sick || start.Value == sick - 2
                ? throw new BadBlockException("below", new Lba(sick)) // By itself, and the run that it is in.
                : Task.CompletedTask,
        });
        await pool.Pool.WaitForBackgroundAsync();
        Assert.InRange(pool.Pool.GetStatistics().UnverifiedBlocks, 2, 3);
    }

    // The commit has captured what it writes when the block is looked at: its checksum goes with the next one, and so does its marker.
    [Fact]
    public async Task A_block_in_doubt_that_is_looked_at_during_a_commit_stays_in_doubt_until_the_next_one()
    {
        var crashed = await CrashedAsync(leaves: 2);
        HookedDevice hooks = null!;
        crashed = await CrashedPool.OpenAsync(crashed.Disk, Slow, device => hooks = new HookedDevice(device));
        var volume = crashed.Volume;
        while (crashed.Pool.Pool.GetStatistics().Recovery.CheckedBlocks == 0) await Task.Delay(1); // Then the sweep rests: it flushes, too.
        await volume.WriteAsync(new Lba(3 * BlocksPerLeaf), new byte[4096]); // Something for the commit to flush.
        hooks.BeforeFlush = async () =>
        {
            hooks.BeforeFlush = () => Task.CompletedTask;
            Assert.Equal(CrashedPool.Content(11), await CrashedPool.ReadAsync(volume, BlocksPerLeaf));
        };
        await crashed.Pool.Pool.CommitAsync();
        await crashed.Pool.Pool.Parts.Markers.ClearAllAsync();
        crashed.Kill();

        await using var pool = await TestPool.OpenAsync(crashed.Disk, TestPool.DefaultOptions(3));
        await pool.Pool.WaitForBackgroundAsync();
        Assert.Equal(CrashedPool.Content(11), await CrashedPool.ReadAsync(pool.Pool.OpenVolume("disk")!, BlocksPerLeaf));
    }

    // The first block of each MiB was being overwritten when the process was killed.
    static async Task<CrashedPool> CrashedAsync(int leaves)
    {
        var crashed = await CrashedPool.CreateAsync();
        for (var leaf = 0; leaf < leaves; leaf++) await crashed.WriteAsync((long)leaf * BlocksPerLeaf, 1, 4);
        await crashed.CommitAsync();
        for (var leaf = 0; leaf < leaves; leaf++) await crashed.WriteAsync((long)leaf * BlocksPerLeaf, 10 + leaf);
        await crashed.Volume.FlushAsync();
        crashed.Kill();
        return crashed;
    }
}
