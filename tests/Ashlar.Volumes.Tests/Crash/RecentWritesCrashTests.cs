using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// The process is killed at points of random workloads, and again while the next one recovers: whatever was answered is there, flushed or
/// not. Power that is lost then costs what nobody has flushed, and no more.
/// </summary>
public sealed class RecentWritesCrashTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task What_was_answered_survives_the_death_of_the_process_at_any_point(bool writesAtomically, bool isPlaced)
    {
        var seeds = TestSeeds.Several(
            $"{nameof(RecentWritesCrashTests)}{writesAtomically}{isPlaced}", TestTier.Choose(2, 60));
        var totals = new CrashTotals("deaths with a log of recent writes", seeds);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var result = await ExploreAsync(seed, PlantedBug.None, TestTier.Choose(4, 1), writesAtomically, isPlaced);
            output.WriteLine($"seed {seed}: {result}");
            totals.Add(result);
        });
        if (totals.IsReplay) return;
        Assert.True(totals.Deaths >= seeds.Length * TestTier.Choose(30, 120), $"only {totals.Deaths} deaths");
        output.WriteLine(totals.ToJson());
    }

    /// <summary>Some take many workloads to show.</summary>
    public static TheoryData<string> FoundBugs()
    {
        string[] soon = [nameof(PlantedBug.ForgetWrites), nameof(PlantedBug.ForgetZeros), nameof(PlantedBug.ForgetCovered)];
        string[] late = [nameof(PlantedBug.ForgetWhileCaptured), nameof(PlantedBug.HoldNothing), nameof(PlantedBug.ForgetStored)];
        return [.. TestTier.Choose(soon, [.. soon, .. late])];
    }

    [Theory]
    [MemberData(nameof(FoundBugs))]
    public async Task A_planted_bug_is_found(string name)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        for (ulong seed = 1; ; seed++)
        {
            var found = await Record.ExceptionAsync(() => ExploreAsync(seed, bug, killedOneIn: 1, seed % 2 == 0, isPlaced: false));
            output.WriteLine($"seed {seed}: {found?.Message}");
            if (found is null && seed < 60) continue;
            Assert.NotNull(found);
            return;
        }
    }

    static async Task<CrashExplorerResult> ExploreAsync(
        ulong seed, PlantedBug bug, int killedOneIn, bool writesAtomically, bool isPlaced)
    {
        var workload = new PoolWorkload(
            seed, stepCount: 60, bug, isPlaced: isPlaced, writesAtomically: writesAtomically, logsRecent: true);
        var disk = new SimulatedFileSystem();
        await workload.RunAsync(disk);
        var check = new PoolCrashCheck(seed, workload.Steps, bug, logsRecent: true);
        return await CrashExplorer.ExploreAsync(disk, check.RunAsync, new CrashExplorerOptions
        {
            Seed = seed,
            StateBudget = 20,
            NestedOneIn = 0,
            NestedBudget = 1,
            KilledOneIn = killedOneIn,
            ShowsOldContent = true,
        });
    }
}
