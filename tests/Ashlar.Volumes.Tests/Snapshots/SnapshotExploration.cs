using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Runs workloads with snapshots, with and without a crash at each of their points, and checks every disk that could come back.
/// </summary>
/// <param name="movesPlaces">Whether places move between the steps.</param>
/// <param name="writesAtomically">Whether every other write is atomic.</param>
sealed class SnapshotExploration(bool movesPlaces, bool writesAtomically = false)
{
    /// <summary>Of several seeds, two at a time; null where one failure is replayed.</summary>
    public async Task<CrashTotals?> ExploreAllAsync(string line, ulong[] seeds, int stateBudget, ITestOutputHelper output)
    {
        var totals = new CrashTotals(line, seeds);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var result = await ExploreAsync(seed, PlantedBug.None, stateBudget);
            output.WriteLine($"seed {seed}: {result}");
            totals.Add(result);
        });
        if (totals.IsReplay) return null;
        output.WriteLine(totals.ToJson());
        return totals;
    }

    /// <summary>A bug that needs a crash to show is not found without one, and is found by one.</summary>
    public async Task OnlyACrashFindsAsync(PlantedBug bug, ulong seed, int stateBudget, ITestOutputHelper output)
    {
        await WithoutCrashAsync(seed, bug);
        var found = await Record.ExceptionAsync(() => ExploreAsync(seed, bug, stateBudget, isReplayable: false));
        output.WriteLine($"{found?.Message}");
        Assert.NotEqual(Finding.None, CrashFindingException.Of(found is CrashCheckException ? found.InnerException : found));
    }

    public async Task WithoutCrashAsync(ulong seed, PlantedBug bug)
    {
        var disk = new SimulatedFileSystem();
        var workload = NewWorkload(seed, bug);
        await workload.RunAsync(disk);
        await CrashExplorer.CheckEndAsync(disk, new SnapshotCrashCheck(seed, workload.Steps, bug).RunAsync);
    }

    async Task<CrashExplorerResult> ExploreAsync(ulong seed, PlantedBug bug, int stateBudget, bool isReplayable = true)
    {
        var workload = NewWorkload(seed, bug);
        var options = new CrashExplorerOptions
        {
            Seed = seed,
            StateBudget = stateBudget,
            NestedOneIn = 20,
            NestedBudget = 5,
            KilledOneIn = 8,
            ShowsOldContent = true,
        };
        return await CrashExplorer.ExploreAsync(
            workload.RunAsync,
            new SnapshotCrashCheck(seed, workload.Steps, bug).RunAsync,
            isReplayable ? options : options with { Replay = null });
    }

    SnapshotWorkload NewWorkload(ulong seed, PlantedBug bug) => new(seed, stepCount: 60, bug, movesPlaces, writesAtomically);
}
