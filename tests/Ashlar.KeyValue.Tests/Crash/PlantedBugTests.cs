using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>The crash tests are worth something only if they notice the faults that they are meant to find.</summary>
public sealed class PlantedBugTests
{
    const int MostWorkloads = 40;

    [Fact]
    public void Every_planted_bug_finds_its_place_in_the_source()
    {
        Assert.Equal(27, PlantedBugs.All.Count());
        foreach (var bug in PlantedBugs.All) MutatedEngine.RequirePlaces(bug.Edits);
    }

    [Theory]
    [InlineData(nameof(PlantedBugs.AcknowledgeBeforeSync))]
    [InlineData(nameof(PlantedBugs.SkipDirectorySyncOfLog))]
    [InlineData(nameof(PlantedBugs.SkipDirectorySyncOfTable))]
    [InlineData(nameof(PlantedBugs.SkipDirectorySyncOfManifest))]
    [InlineData(nameof(PlantedBugs.SkipLogSyncAtRotation))]
    [InlineData(nameof(PlantedBugs.IgnoreGroupChecksum))]
    [InlineData(nameof(PlantedBugs.DropTombstonesEarly))]
    [InlineData(nameof(PlantedBugs.DropExpiredEarly))]
    [InlineData(nameof(PlantedBugs.AdvanceReplayBeforeTable))]
    [InlineData(nameof(PlantedBugs.DeleteInputsBeforeEdit))]
    [InlineData(nameof(PlantedBugs.DropVictimsBeforeEdit))]
    [InlineData(nameof(PlantedBugs.MoveInTwoEdits))]
    [InlineData(nameof(PlantedBugs.MergeNewestOfLevelZeroOnly))]
    [InlineData(nameof(PlantedBugs.InstallBeforeMovedValuesAreSynced))]
    public void The_explorer_notices(string bug) => Assert.True(PlantedBugs.Named(bug).Run(IsNoticed, ""), $"{bug} went unnoticed.");

    [Theory]
    [InlineData("*log-*")]
    [InlineData("*table-*")]
    [InlineData("*MANIFEST")]
    [InlineData("*MANIFEST.new")]
    public void The_explorer_notices_that_a_file_is_not_synced(string path) => Assert.True(IsNoticed(path), $"{path} went unnoticed.");

    /// <param name="unsynced">Files whose syncs do nothing.</param>
    static bool IsNoticed(string unsynced)
    {
        for (var seed = 1UL; seed <= MostWorkloads; seed++)
        {
            var workload = new CrashWorkload(seed, operationCount: 60);
            try
            {
                var disk = new SimulatedFileSystem();
                var skipped = new FaultRule(FaultOperations.Sync, FaultKind.Skip) { PathPattern = unsynced, IsSticky = true };
                workload.Run(disk, new FaultyFileSystem(disk, skipped));
                var options = new CrashExplorerOptions { Seed = seed, StateBudget = 800, NestedOneIn = 40, NestedBudget = 5, Replay = null };
                CrashExplorer.Explore(disk, state => CrashCheck.Run(workload, state), options);
            }
            catch (CrashCheckException)
            {
                return true;
            }
        }

        return false;
    }
}
