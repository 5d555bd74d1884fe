using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>The superblocks are written anew as a pool works: at no moment may a power cut take both copies.</summary>
public sealed class SuperblockCrashTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_pool_opens_however_its_superblocks_were_being_written(int flushesBetween)
    {
        var written = 0;
        var result = await CrashExplorer.ExploreAsync(
            async disk =>
            {
                var clock = new SimulatedClock();
                HookedDevice hooks = null!;
                await using var pool = await TestPool.CreateAsync(
                    chunks: 8, TestPool.DefaultOptions() with { TimeProvider = clock }, disk, wrap: device =>
                        hooks = new HookedDevice(device));
                var volume = await pool.CreateVolumeAsync("disk", 1 << 20);
                disk.RestartTrace();
                hooks.AfterWrite = start =>
                {
                    if (start.Value < MapLayout.ReservedChunks * MapLayout.ChunkBytes / 4096) written++;
                    return Task.CompletedTask;
                };
                for (var round = 0; round < 6; round++)
                {
                    await volume.WriteAsync(new Lba(round), CrashedPool.Content(round));
                    for (var flush = 0; flush < flushesBetween; flush++)
                    {
                        await volume.FlushAsync();
                        await volume.WriteAsync(new Lba(round), CrashedPool.Content(round)); // So that the next one reaches the device.
                    }

                    await pool.CreateVolumeAsync($"volume{round}", 4096); // The store goes on, and says so durably.
                    clock.Advance(TimeSpan.FromSeconds(1));
                    await pool.Pool.Parts.Committer.RunAsync(CommitScope.Spill);
                }

                await pool.CreateVolumeAsync("last", 4096);
            },
            async state =>
            {
                await using var pool = await TestPool.OpenAsync(state.Disk, TestPool.DefaultOptions(state.Seed));
                Assert.NotNull(pool.Pool.OpenVolume("disk"));
            },
            new CrashExplorerOptions { StateBudget = 400, NestedOneIn = 20, NestedBudget = 3 });
        Assert.True(result.Distinct >= 150, result.ToString());
        Assert.InRange(written, flushesBetween == 0 ? 1 : 3, 7);
    }
}
