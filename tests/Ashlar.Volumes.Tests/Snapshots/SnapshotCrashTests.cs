using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Power is lost, or the process dies, at every point of workloads with snapshots, clones, restores and deletions; every disk that could
/// come back is opened and checked.
/// </summary>
public sealed class SnapshotCrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Snapshots_survive_power_loss_and_the_death_of_the_process_at_any_point()
    {
        var seeds = TestSeeds.Several(nameof(SnapshotCrashTests), TestTier.Choose(2, 40));
        var totals = new CrashTotals("snapshot crash states", seeds);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            var result = await ExploreAsync(seed, PlantedBug.None, TestTier.Choose(200, 1500));
            output.WriteLine($"seed {seed}: {result}");
            totals.Add(result);
        });
        if (totals.IsReplay) return;
        Assert.True(totals.Points >= seeds.Length * 200, $"only {totals.Points} moments at which power could fail");
        Assert.True(totals.Images >= TestTier.Choose(350, 50_000), $"only {totals.Images} distinct disks");
        output.WriteLine(totals.ToJson());
    }

    // What needs a crash to show must not be found without one; what shows without one must be found so.
    [Theory]
    [InlineData(nameof(PlantedBug.SnapshotBeforeCommit), 1)]
    [InlineData(nameof(PlantedBug.SnapshotWithoutChecksums), 1)]
    [InlineData(nameof(PlantedBug.ForgetSnapshotFirst), 5)]
    public async Task A_planted_bug_is_found_by_a_crash_and_by_nothing_else(string name, ulong seed)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        await WithoutCrashAsync(seed, bug);
        var found = await Record.ExceptionAsync(() => ExploreAsync(seed, bug, stateBudget: 600, isReplayable: false));
        output.WriteLine($"{found?.Message}");
        Assert.NotEqual(Finding.None, CrashFindingException.Of(found is CrashCheckException ? found.InnerException : found));
    }

    [Theory]
    [InlineData(nameof(PlantedBug.KeepNothing))]
    [InlineData(nameof(PlantedBug.FragmentsNotInBatch))]
    public async Task What_is_wrong_without_a_crash_is_noticed_without_one(string name) =>
        Assert.NotNull(await Record.ExceptionAsync(() => WithoutCrashAsync(1, Enum.Parse<PlantedBug>(name))));

    [Fact]
    public Task Without_a_bug_and_without_a_crash_nothing_is_found() => WithoutCrashAsync(1, PlantedBug.None);

    static async Task WithoutCrashAsync(ulong seed, PlantedBug bug)
    {
        var disk = new SimulatedFileSystem();
        var workload = new SnapshotWorkload(seed, stepCount: 60, bug);
        await workload.RunAsync(disk);
        await CrashExplorer.CheckEndAsync(disk, new SnapshotCrashCheck(seed, workload.Steps, bug).RunAsync);
    }

    internal static async Task<CrashExplorerResult> ExploreAsync(ulong seed, PlantedBug bug, int stateBudget, bool isReplayable = true)
    {
        var workload = new SnapshotWorkload(seed, stepCount: 60, bug);
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
