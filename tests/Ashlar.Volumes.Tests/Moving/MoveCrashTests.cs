using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Power is lost, or the process dies, at every point of workloads in which places move between writes, snapshots, clones and deletions;
/// every disk that could come back is opened and checked.
/// </summary>
public sealed class MoveCrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Moved_places_survive_power_loss_and_the_death_of_the_process_at_any_point()
    {
        var seeds = TestSeeds.Several(nameof(MoveCrashTests), TestTier.Choose(1, 40));
        var totals = new CrashTotals("move crash states", seeds);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var result = await ExploreAsync(seed, PlantedBug.None, TestTier.Choose(150, 1500));
            output.WriteLine($"seed {seed}: {result}");
            totals.Add(result);
        });
        if (totals.IsReplay) return;
        Assert.True(totals.Images >= TestTier.Choose(100, 40_000), $"only {totals.Images} distinct disks");
        output.WriteLine(totals.ToJson());
    }

    [Theory]
    [InlineData(nameof(PlantedBug.FreeMovedBeforeCommit), 1)]
    [InlineData(nameof(PlantedBug.MoveWithoutFlush), 1)]
    [InlineData(nameof(PlantedBug.MoveInTwoBatches), 2)]
    public async Task A_planted_bug_is_found_by_a_crash_and_by_nothing_else(string name, ulong seed)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        await WithoutCrashAsync(seed, bug);
        var found = await Record.ExceptionAsync(() => ExploreAsync(seed, bug, stateBudget: 300, isReplayable: false));
        output.WriteLine($"{found?.Message}");
        Assert.NotEqual(Finding.None, CrashFindingException.Of(found is CrashCheckException ? found.InnerException : found));
    }

    [Theory]
    [InlineData(nameof(PlantedBug.ForgetSharer))]
    public async Task What_is_wrong_without_a_crash_is_noticed_without_one(string name) =>
        Assert.NotNull(await Record.ExceptionAsync(() => WithoutCrashAsync(2, Enum.Parse<PlantedBug>(name))));

    [Fact]
    public async Task Without_a_bug_and_without_a_crash_nothing_is_found()
    {
        await WithoutCrashAsync(1, PlantedBug.None);
        await WithoutCrashAsync(2, PlantedBug.None);
    }

    static async Task WithoutCrashAsync(ulong seed, PlantedBug bug)
    {
        var disk = new SimulatedFileSystem();
        var workload = new SnapshotWorkload(seed, stepCount: 60, bug, movesPlaces: true);
        await workload.RunAsync(disk);
        await CrashExplorer.CheckEndAsync(disk, new SnapshotCrashCheck(seed, workload.Steps, bug).RunAsync);
    }

    static async Task<CrashExplorerResult> ExploreAsync(ulong seed, PlantedBug bug, int stateBudget, bool isReplayable = true)
    {
        var workload = new SnapshotWorkload(seed, stepCount: 60, bug, movesPlaces: true);
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
}
