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
    readonly SnapshotExploration exploration = new(movesPlaces: true);

    [Fact]
    public async Task Moved_places_survive_power_loss_and_the_death_of_the_process_at_any_point()
    {
        var seeds = TestSeeds.Several(nameof(MoveCrashTests), TestTier.Choose(1, 40));
        if (await exploration.ExploreAllAsync("move crash states", seeds, TestTier.Choose(150, 1500), output) is not { } totals) return;
        Assert.True(totals.Images >= TestTier.Choose(100, 40_000), $"only {totals.Images} distinct disks");
    }

    [Theory]
    [InlineData(nameof(PlantedBug.FreeMovedBeforeCommit), 1)]
    [InlineData(nameof(PlantedBug.MoveWithoutFlush), 1)]
    [InlineData(nameof(PlantedBug.MoveInTwoBatches), 2)]
    public Task A_planted_bug_is_found_by_a_crash_and_by_nothing_else(string name, ulong seed) =>
        exploration.OnlyACrashFindsAsync(Enum.Parse<PlantedBug>(name), seed, stateBudget: 300, output);

    [Theory]
    [InlineData(nameof(PlantedBug.ForgetSharer))]
    public async Task What_is_wrong_without_a_crash_is_noticed_without_one(string name) =>
        Assert.NotNull(await Record.ExceptionAsync(() => exploration.WithoutCrashAsync(2, Enum.Parse<PlantedBug>(name))));

    [Fact]
    public async Task Without_a_bug_and_without_a_crash_nothing_is_found()
    {
        await exploration.WithoutCrashAsync(1, PlantedBug.None);
        await exploration.WithoutCrashAsync(2, PlantedBug.None);
    }
}
