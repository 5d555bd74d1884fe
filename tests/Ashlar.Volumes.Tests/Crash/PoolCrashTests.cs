using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Power is lost at every point of random workloads, or the process dies there, by a signal or after a failed sync, and power is lost
/// while the next one recovers; every disk that could come back is opened and checked.
/// </summary>
public sealed class PoolCrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_pool_survives_power_loss_and_the_death_of_its_process_at_any_point()
    {
        var seeds = TestSeeds.Several(nameof(PoolCrashTests), TestTier.Choose(2, 14));
        var totals = new CrashTotals("volume map crash states", seeds);
        var judgedUntorn = 0;
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var (result, check) = await ExploreAsync(
                seed, PlantedBug.None, TestTier.Choose(1500, 2200), nestedOneIn: 20, killedOneIn: 6);
            output.WriteLine($"seed {seed}: {result}");
            totals.Add(result);
            Interlocked.Add(ref judgedUntorn, check.JudgedUntorn);
        });
        if (totals.IsReplay) return;
        Assert.True(totals.Points >= seeds.Length * 200, $"only {totals.Points} moments at which power could fail");
        Assert.True(totals.Images >= TestTier.Choose(1700, 20_000), $"only {totals.Images} distinct disks");
        Assert.True(totals.Nested >= seeds.Length * 250, $"only {totals.Nested} disks after a second crash");
        Assert.True(totals.Deaths >= seeds.Length * 30, $"only {totals.Deaths} deaths");
        Assert.True(judgedUntorn >= seeds.Length * 800, $"only {judgedUntorn} blocks were judged as changed as a whole");
        output.WriteLine(totals.ToJson());
    }

    [Fact]
    public async Task A_pool_with_its_metadata_on_its_device_survives_the_same()
    {
        var seeds = TestSeeds.Several(nameof(A_pool_with_its_metadata_on_its_device_survives_the_same), TestTier.Choose(2, 10));
        var totals = new CrashTotals("volume map crash states, metadata on the device", seeds);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var (result, _) = await ExploreAsync(
                seed, PlantedBug.None, TestTier.Choose(300, 2500), nestedOneIn: 20, killedOneIn: 6, isPlaced: true);
            output.WriteLine($"seed {seed}: {result}");
            totals.Add(result);
        });
        if (totals.IsReplay) return;
        Assert.True(totals.Images >= TestTier.Choose(350, 12_000), $"only {totals.Images} distinct disks");
        Assert.True(totals.Deaths >= seeds.Length * 20, $"only {totals.Deaths} deaths");
        output.WriteLine(totals.ToJson());
    }

    internal static async Task<(CrashExplorerResult Result, PoolCrashCheck Check)> ExploreAsync(
        ulong seed, PlantedBug bug, int stateBudget, int nestedOneIn, int killedOneIn, bool isReplayable = true,
        bool isPlaced = false)
    {
        var workload = new PoolWorkload(seed, stepCount: 70, bug, isPlaced: isPlaced);
        var check = new PoolCrashCheck(seed, workload.Steps, bug);
        var options = new CrashExplorerOptions
        {
            Seed = seed,
            StateBudget = stateBudget,
            NestedOneIn = nestedOneIn,
            NestedBudget = 5,
            KilledOneIn = killedOneIn,
            ShowsOldContent = true,
        };
        return (await CrashExplorer.ExploreAsync(workload.RunAsync, check.RunAsync,
            isReplayable ? options : options with { Replay = null }), check);
    }
}
