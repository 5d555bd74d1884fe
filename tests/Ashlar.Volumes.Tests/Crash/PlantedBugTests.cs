using Ashlar.Simulation;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// The explorer is worth its time only if it finds bugs. Each of these, planted, must be found with the seed that is known to find it, as
/// what it is; and what needs a crash to show must not be found without one.
/// </summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    // The same seed: what the pool does in the background comes a little earlier or later each time.
    const int Attempts = 3;

    [Theory]
    [InlineData(nameof(PlantedBug.MapBeforeData), 1, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.SkipDataFlush), 1, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.MarkerNotDurable), 1, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.ReuseBeforeCommit), 6, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.PunchAfterReuse), 2, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.RecoverWithoutFlush), 1, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.FlushWithoutMap), 1, nameof(Finding.Lost))]
    [InlineData(nameof(PlantedBug.ClearMarkersEarly), 1, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.MarkByMemory), 4, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.SkipRecovery), 6, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.ShrinkBeforeUnmap), 1, nameof(Finding.Resurrected))]
    [InlineData(nameof(PlantedBug.MapNotDurable), 1, nameof(Finding.Lost))]
    [InlineData(nameof(PlantedBug.SettleSpillsUnflushed), 1, nameof(Finding.Damaged))]
    [InlineData(nameof(PlantedBug.DeltaOutlivesWhole), 1, nameof(Finding.Damaged))]
    public async Task A_planted_bug_is_found_by_a_crash_and_by_nothing_else(string name, ulong seed, string finding)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        await WithoutCrashAsync(seed, bug);
        for (var attempt = 1; ; attempt++)
        {
            var found = await Record.ExceptionAsync(() => PoolCrashTests.ExploreAsync(
                seed, bug, stateBudget: 600, nestedOneIn: 10, killedOneIn: 20, isReplayable: false));
            if (found is null && attempt < Attempts) continue;
            output.WriteLine($"attempt {attempt}: {found?.Message}");
            // Some workloads kill the process themselves, and find it when they go on.
            Assert.Equal(finding, CrashFindingException.Of(found is CrashCheckException ? found.InnerException : found).ToString());
            return;
        }
    }

    // Free space that is not written stays wrong however the pool is closed.
    [Fact]
    public async Task Free_space_that_is_not_written_is_noticed_without_a_crash() =>
        Assert.NotNull(await Record.ExceptionAsync(() => WithoutCrashAsync(1, PlantedBug.BitmapNotInBatch)));

    [Fact]
    public async Task Checksums_that_are_not_written_are_noticed_without_a_crash() =>
        Assert.NotNull(await Record.ExceptionAsync(() => WithoutCrashAsync(1, PlantedBug.ForgetDeltas)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    public Task Without_a_bug_and_without_a_crash_nothing_is_found(ulong seed) => WithoutCrashAsync(seed, PlantedBug.None);

    static async Task WithoutCrashAsync(ulong seed, PlantedBug bug)
    {
        var disk = new SimulatedFileSystem();
        var workload = new PoolWorkload(seed, stepCount: 70, bug, isOrderly: true);
        await workload.RunAsync(disk);
        await CrashExplorer.CheckEndAsync(disk, new PoolCrashCheck(seed, workload.Steps, bug).RunAsync);
    }
}
