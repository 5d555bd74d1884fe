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
    readonly SnapshotExploration exploration = new(movesPlaces: false);

    [Fact]
    public async Task Snapshots_survive_power_loss_and_the_death_of_the_process_at_any_point()
    {
        var seeds = TestSeeds.Several(nameof(SnapshotCrashTests), TestTier.Choose(2, 42));
        if (await exploration.ExploreAllAsync("snapshot crash states", seeds, TestTier.Choose(200, 1500), output) is not { } totals) return;
        Assert.True(totals.Points >= seeds.Length * 200, $"only {totals.Points} moments at which power could fail");
        Assert.True(totals.Images >= TestTier.Choose(350, 50_000), $"only {totals.Images} distinct disks");
    }

    // What needs a crash to show must not be found without one; what shows without one must be found so.
    [Theory]
    [InlineData(nameof(PlantedBug.SnapshotBeforeCommit), 1)]
    [InlineData(nameof(PlantedBug.SnapshotWithoutChecksums), 1)]
    [InlineData(nameof(PlantedBug.ForgetSnapshotFirst), 5)]
    public Task A_planted_bug_is_found_by_a_crash_and_by_nothing_else(string name, ulong seed) =>
        exploration.OnlyACrashFindsAsync(Enum.Parse<PlantedBug>(name), seed, stateBudget: 600, output);

    [Theory]
    [InlineData(nameof(PlantedBug.KeepNothing))]
    [InlineData(nameof(PlantedBug.FragmentsNotInBatch))]
    public async Task What_is_wrong_without_a_crash_is_noticed_without_one(string name) =>
        Assert.NotNull(await Record.ExceptionAsync(() => exploration.WithoutCrashAsync(1, Enum.Parse<PlantedBug>(name))));

    [Fact]
    public Task Without_a_bug_and_without_a_crash_nothing_is_found() => exploration.WithoutCrashAsync(1, PlantedBug.None);
}
