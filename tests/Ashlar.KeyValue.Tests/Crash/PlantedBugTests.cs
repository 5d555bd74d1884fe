using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>The crash tests are worth something only if they notice the faults that they are meant to find.</summary>
public sealed class PlantedBugTests
{
    const int MostWorkloads = 40;

    // Rot and lying kernels are no power cuts: SeparatedValueTests and DoubtfulTailTests notice these. One writer never has
    // several flushes under way: FlightCrashTests has. No disk is full: FullDiskCrashTests has one. No snapshot is old:
    // ValueCollectionTests have one, CompactionTests several. What readers see meanwhile LinearizabilityTests judges; what is archived, ArchiveCrashTests.
    static readonly PlantedBug[] NoticedElsewhere =
    [
        PlantedBug.None, PlantedBug.IgnoreValueChecksum, PlantedBug.SkipRewriteOfDoubtfulTail,
        PlantedBug.AcknowledgeByLaterFlush, PlantedBug.DurableThroughBeforeSync, PlantedBug.StepInTwoEdits,
        PlantedBug.PublishBeforeInsertion, PlantedBug.SnapshotOfUnpublished,
        PlantedBug.SkipArchiveSync, PlantedBug.SkipDirectorySyncOfArchive, PlantedBug.ReleaseLogBeforeArchive, PlantedBug.ArchiveBeforeSync,
        PlantedBug.DropShadowedUnderSnapshot, PlantedBug.ForgetSnapshotsButTheOldest,
    ];

    public static TheoryData<string> Bugs => [.. Enum.GetValues<PlantedBug>().Except(NoticedElsewhere).Select(bug => bug.ToString())];

    [Theory, MemberData(nameof(Bugs))]
    public void The_explorer_notices(string bug)
    {
        var planted = Enum.Parse<PlantedBug>(bug);
        for (var seed = 1UL; seed <= MostWorkloads; seed++)
        {
            var workload = new CrashWorkload(seed, operationCount: 60);
            try
            {
                var disk = new SimulatedFileSystem();
                workload.Run(disk, planted);
                var options = new CrashExplorerOptions { Seed = seed, StateBudget = 800, NestedOneIn = 40, NestedBudget = 5, Replay = null };
                CrashExplorer.Explore(disk, state => CrashCheck.Run(workload, state, planted), options);
            }
            catch (CrashCheckException)
            {
                return;
            }
        }

        Assert.Fail($"{bug} went unnoticed in {MostWorkloads} workloads.");
    }
}
