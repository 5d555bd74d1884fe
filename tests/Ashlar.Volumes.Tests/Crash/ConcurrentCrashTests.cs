using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Power is lost, or the process dies, while several writers are at work and volumes come and go; every disk that could come back is
/// opened and checked.
/// </summary>
public sealed class ConcurrentCrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_pool_survives_power_loss_and_the_death_of_its_process_under_several_writers()
    {
        var seeds = TestSeeds.Several(nameof(ConcurrentCrashTests), TestTier.Choose(2, 8));
        var totals = new CrashTotals("volume map crash states under several writers", seeds);
        var (overlapping, compared) = (0, 0L);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var (result, check) = await ExploreAsync(seed, PlantedBug.None, stateBudget: TestTier.Choose(700, 1200), killedOneIn: 10);
            output.WriteLine($"seed {seed}: {result}, {check.OverlappingFlushes} flushes overlapped a write");
            totals.Add(result);
            Interlocked.Add(ref overlapping, check.OverlappingFlushes);
            Interlocked.Add(ref compared, check.Compared);
        });
        if (totals.IsReplay) return;
        Assert.True(totals.Points >= seeds.Length * 250, $"only {totals.Points} moments at which power could fail");
        Assert.True(totals.Images >= seeds.Length * TestTier.Choose(500, 900), $"only {totals.Images} distinct disks");
        Assert.True(totals.Nested >= seeds.Length * TestTier.Choose(120, 200), $"only {totals.Nested} disks after a second crash");
        Assert.True(totals.Deaths >= seeds.Length * 20, $"only {totals.Deaths} deaths");
        Assert.True(compared >= seeds.Length * TestTier.Choose(30_000L, 50_000L), $"only {compared} sectors were compared");
        // How much the writers meet is up to a scheduler that may have other things to do.
        Assert.True(overlapping >= seeds.Length, $"{overlapping} flushes overlapped a write");
        output.WriteLine(totals.ToJson());
    }

    internal static async Task<(CrashExplorerResult Result, ConcurrentCrashCheck Check)> ExploreAsync(
        ulong seed, PlantedBug bug, int stateBudget, int killedOneIn)
    {
        var check = new ConcurrentCrashCheck(seed, bug);
        var result = await CrashExplorer.ExploreAsync(
            new ConcurrentWorkload(seed, bug).RunAsync,
            check.RunAsync,
            new CrashExplorerOptions
            {
                Seed = seed,
                StateBudget = stateBudget,
                NestedOneIn = 10,
                NestedBudget = 3,
                KilledOneIn = killedOneIn,
                ShowsOldContent = true,
            });
        return (result, check);
    }
}
