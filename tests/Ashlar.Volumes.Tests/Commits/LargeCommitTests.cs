using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>A commit of many MiB is written in several batches: after each of them map and free space agree.</summary>
public sealed class LargeCommitTests
{
    const int LeavesOfBatch = 512, BlocksPerLeaf = MapLayout.BlocksPerLeaf;

    [Theory]
    [InlineData(LeavesOfBatch)]
    [InlineData(LeavesOfBatch + 1)]
    [InlineData(2 * LeavesOfBatch)]
    [InlineData((2 * LeavesOfBatch) + 77)]
    public async Task What_one_commit_has_written_is_nobody_elses_after_a_crash(int leaves)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var process = new MortalFileSystem(disk);
        var pool = await TestPool.CreateAsync(chunks: 16 * (leaves + 8), disk: process);
        var volume = await pool.CreateVolumeAsync("disk", (long)leaves * MapLayout.LeafBytes);
        for (var leaf = 0; leaf < leaves; leaf++) await volume.WriteAsync(new Lba((long)leaf * BlocksPerLeaf), CrashedPool.Content(leaf));
        await volume.FlushAsync();
        Assert.Equal((leaves + LeavesOfBatch - 1) / LeavesOfBatch, pool.Pool.GetStatistics().Commits);
        process.Kill();

        await using var reopened = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        Assert.Equal(leaves * (long)MapLayout.ChunkBytes, reopened.Pool.GetUsage().AllocatedBytes);
        Assert.Empty((await reopened.Pool.VerifyAsync()).Problems);
        var other = await reopened.CreateVolumeAsync("other", (long)leaves * MapLayout.LeafBytes);
        for (var leaf = 0; leaf < leaves; leaf++) await other.WriteAsync(new Lba((long)leaf * BlocksPerLeaf), new byte[4096]);
        volume = reopened.Pool.OpenVolume("disk")!;
        for (var leaf = 0; leaf < leaves; leaf++)
            Assert.Equal(CrashedPool.Content(leaf), await CrashedPool.ReadAsync(volume, (long)leaf * BlocksPerLeaf));
    }

    [Fact]
    public async Task Power_may_fail_between_the_batches()
    {
        const int leaves = LeavesOfBatch + 9;
        var seen = new HashSet<long>();
        var result = await CrashExplorer.ExploreAsync(
            async disk =>
            {
                await using var pool = await TestPool.CreateAsync(chunks: 16 * (leaves + 8), disk: disk);
                var volume = await pool.CreateVolumeAsync("disk", (long)leaves * MapLayout.LeafBytes);
                for (var leaf = 0; leaf < leaves; leaf++) await volume.WriteAsync(new Lba((long)leaf * BlocksPerLeaf), new byte[4096]);
                await pool.Pool.Parts.Device.FlushAsync();
                disk.RestartTrace();
                await volume.FlushAsync();
            },
            async state =>
            {
                await using var pool = await TestPool.OpenAsync(state.Disk, TestPool.DefaultOptions(state.Seed));
                Assert.Empty((await pool.Pool.VerifyAsync()).Problems);
                seen.Add(pool.Pool.GetUsage().AllocatedBytes / MapLayout.ChunkBytes);
            },
            new CrashExplorerOptions { StateBudget = 60, NestedOneIn = 0 });
        Assert.True(result.Distinct >= 20, result.ToString());
        Assert.Equal([0, LeavesOfBatch, leaves], seen.Order());
    }
}
