using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Power is lost, or the process dies, at every point of workloads of atomic writes among others: each is found there as a whole, or not
/// at all, also over the border of two leaves.
/// </summary>
public sealed class AtomicWriteCrashTests(ITestOutputHelper output)
{
    // The same seed: what the pool does in the background comes a little earlier or later each time.
    const int Attempts = 3;

    [Fact]
    public async Task An_atomic_write_is_there_as_a_whole_or_not_at_all()
    {
        var seeds = TestSeeds.Several(nameof(AtomicWriteCrashTests), TestTier.Choose(2, 14));
        var totals = new CrashTotals("atomic write crash states", seeds);
        var judged = 0;
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var (result, check) = await ExploreAsync(seed, PlantedBug.None, TestTier.Choose(150, 2000));
            output.WriteLine($"seed {seed}: {result}");
            totals.Add(result);
            Interlocked.Add(ref judged, check.JudgedAtomic);
        });
        if (totals.IsReplay) return;
        Assert.True(totals.Images >= TestTier.Choose(180, 10_000), $"only {totals.Images} distinct disks");
        Assert.True(judged >= seeds.Length * 200, $"only {judged} atomic writes were judged");
        output.WriteLine(totals.ToJson());
    }

    [Fact]
    public async Task Beside_snapshots_clones_and_places_that_move_nothing_is_lost_either()
    {
        var exploration = new SnapshotExploration(movesPlaces: true, writesAtomically: true);
        var seeds = TestSeeds.Several(nameof(Beside_snapshots_clones_and_places_that_move_nothing_is_lost_either), TestTier.Choose(1, 14));
        await exploration.ExploreAllAsync("atomic writes and snapshots, crash states", seeds, TestTier.Choose(40, 1000), output);
    }

    [Theory]
    [InlineData(nameof(PlantedBug.AtomicInPlace), 1, nameof(Finding.Torn))]
    [InlineData(nameof(PlantedBug.HomeFreeByMemory), 1, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.AtomicInTwoBatches), 1, nameof(Finding.Torn))]
    public async Task A_planted_bug_is_found_by_a_crash_and_by_nothing_else(string name, ulong seed, string finding)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        await WithoutCrashAsync(seed, bug);
        for (var attempt = 1; ; attempt++)
        {
            var found = await Record.ExceptionAsync(() => ExploreAsync(seed, bug, stateBudget: 600, isReplayable: false));
            if (found is null && attempt < Attempts) continue;
            output.WriteLine($"attempt {attempt}: {found?.Message}");
            Assert.Equal(finding, CrashFindingException.Of(found is CrashCheckException ? found.InnerException : found).ToString());
            return;
        }
    }

    static async Task<(CrashExplorerResult Result, PoolCrashCheck Check)> ExploreAsync(
        ulong seed, PlantedBug bug, int stateBudget, bool isReplayable = true)
    {
        var workload = new PoolWorkload(seed, stepCount: 70, bug, writesAtomically: true);
        var check = new PoolCrashCheck(seed, workload.Steps, bug);
        var options = new CrashExplorerOptions
        {
            Seed = seed,
            StateBudget = stateBudget,
            NestedOneIn = 20,
            NestedBudget = 5,
            KilledOneIn = 10,
            ShowsOldContent = true,
        };
        return (await CrashExplorer.ExploreAsync(workload.RunAsync, check.RunAsync,
            isReplayable ? options : options with { Replay = null }), check);
    }

    static async Task WithoutCrashAsync(ulong seed, PlantedBug bug)
    {
        var disk = new SimulatedFileSystem();
        var workload = new PoolWorkload(seed, stepCount: 70, bug, isOrderly: true, writesAtomically: true);
        await workload.RunAsync(disk);
        await CrashExplorer.CheckEndAsync(disk, new PoolCrashCheck(seed, workload.Steps, bug).RunAsync);
    }
}
