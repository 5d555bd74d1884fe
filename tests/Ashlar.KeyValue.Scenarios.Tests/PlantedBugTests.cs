using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// The scenarios are worth something only if they notice the faults that they are meant to find: each with the one seed that is known to
/// show it, as the kind of failure that it is, and not without a crash if it takes one.
/// </summary>
public sealed class PlantedBugTests
{
    const int Operations = 60;

    /// <summary>Named by what is planted, or by the files whose syncs do nothing.</summary>
    sealed record Planted(string Bug, ulong Seed, Features Features, FailureKind Seen, bool NeedsCrash = true);

    const Features Archived = Features.Backups | Features.Archive;

    static readonly Planted[] AllPlanted =
    [
        new(nameof(PlantedBugs.AcknowledgeBeforeSync), 1, Features.Expiry, FailureKind.Lost),
        new(nameof(PlantedBugs.SkipDirectorySyncOfLog), 1, Features.Expiry, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.SkipDirectorySyncOfTable), 1, Features.Expiry, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.SkipDirectorySyncOfManifest), 1, Features.Expiry, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.SkipLogSyncAtRotation), 1, Features.Expiry, FailureKind.Damaged),
        new(nameof(PlantedBugs.IgnoreGroupChecksum), 1, Features.Expiry, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.DropTombstonesEarly), 1, Features.Expiry, FailureKind.WrongAnswer, NeedsCrash: false),
        new(nameof(PlantedBugs.DropExpiredEarly), 1, Features.Expiry, FailureKind.Mixed),
        new(nameof(PlantedBugs.AdvanceReplayBeforeTable), 1, Features.Expiry, FailureKind.Lost),
        new(nameof(PlantedBugs.DeleteInputsBeforeEdit), 1, Features.Expiry, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.DropVictimsBeforeEdit), 1, Features.Expiry, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.MoveInTwoEdits), 21, Features.Expiry, FailureKind.Mixed),
        new(nameof(PlantedBugs.MergeNewestOfLevelZeroOnly), 1, Features.Expiry, FailureKind.WrongAnswer, NeedsCrash: false),
        new(nameof(PlantedBugs.InstallBeforeMovedValuesAreSynced), 1, Features.Expiry, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.StepInTwoEdits), 1, Features.FullDisk, FailureKind.Mixed),
        new(nameof(PlantedBugs.SkipDirectorySyncOfArchive), 1, Archived, FailureKind.Archive),
        new(nameof(PlantedBugs.ReleaseLogBeforeArchive), 1, Archived, FailureKind.Archive),
        new(nameof(PlantedBugs.ArchiveBeforeSync), 3, Archived, FailureKind.Archive),
        new(nameof(PlantedBugs.TrustManifestOfAnotherProcess), 1, Features.Expiry, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.SkipDirectorySyncOfPruning), 1, Archived, FailureKind.Archive),
        new(nameof(PlantedBugs.DeleteFilesBeforeRecordOfBackup), 3, Features.Backups, FailureKind.Backup, NeedsCrash: false),
        new(nameof(PlantedBugs.SkipSyncOfRestoredManifest), 2, Features.Backups, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.SkipSyncOfCopiedFiles), 1, Features.Backups, FailureKind.Backup),
        new(nameof(PlantedBugs.SkipDirectorySyncOfRestore), 2, Features.Backups, FailureKind.DoesNotOpen),
        new(nameof(PlantedBugs.CompareConditionsByPresence), 2, Features.Conditions, FailureKind.WrongAnswer, NeedsCrash: false),
        new(nameof(PlantedBugs.TakeMemtablesForAllThatWasWritten), 2, Features.Transactions, FailureKind.WrongAnswer, NeedsCrash: false),
        new(nameof(PlantedBugs.ForgetRangesThatWereScanned), 2, Features.Transactions, FailureKind.WrongAnswer, NeedsCrash: false),
        new(nameof(PlantedBugs.GiveNumberOfKeyspaceAgain), 2, Features.Keyspaces, FailureKind.WrongAnswer, NeedsCrash: false),
        new(nameof(PlantedBugs.OpenKeyspaceWithoutFlush), 1, Features.Keyspaces, FailureKind.Lost),
        new(nameof(PlantedBugs.DropKeyspaceInTwoBatches), 1, Features.Keyspaces, FailureKind.Mixed),
        new(
            nameof(PlantedBugs.RepairWithoutKeyspaces), 1, Features.Keyspaces | Features.Repair, FailureKind.WrongAnswer,
            NeedsCrash: false),
        new(nameof(PlantedBugs.RestoreWithoutKeyspaces), 2, Archived | Features.Keyspaces, FailureKind.Archive),
        new("*/store*log-*", 1, Features.Expiry, FailureKind.DoesNotOpen),
        new("*table-*", 1, Features.Expiry, FailureKind.DoesNotOpen),
        new("*/store*MANIFEST", 1, Features.Expiry, FailureKind.DoesNotOpen),
        new("*/store*MANIFEST.new", 1, Features.Expiry, FailureKind.DoesNotOpen),
        new("*/archive*", 1, Archived, FailureKind.Archive),
        new("*/backups*", 1, Features.Backups, FailureKind.Backup),
    ];

    public static TheoryData<string> Bugs =>
        [.. AllPlanted.Where((_, number) => TestTier.IsDeep || number % 3 == 0).Select(one => one.Bug)];

    [Fact]
    public void Every_planted_bug_finds_its_place_in_the_source()
    {
        Assert.Equal(47, PlantedBugs.All.Count());
        foreach (var bug in PlantedBugs.All) MutatedEngine.RequirePlaces(bug.Edits);
    }

    [Theory, MemberData(nameof(Bugs))]
    public void A_planted_bug_is_noticed_as_what_it_is_and_only_by_a_crash_if_it_takes_one(string bug)
    {
        var one = AllPlanted.Single(candidate => candidate.Bug == bug);
        if (Run(one, withCrashes: true) is var seen && seen != $"{one.Seen}")
        {
            var others = Enumerable.Range(1, 20).Select(seed => $"{seed}: {Run(one with { Seed = (ulong)seed }, withCrashes: true)}");
            Assert.Fail($"Seed {one.Seed} shows '{seen}' instead of '{one.Seen}'; seeds show {string.Join(", ", others)}");
        }

        Assert.Equal(one.NeedsCrash ? "" : $"{one.Seen}", Run(one, withCrashes: false));
    }

    static string Run(Planted one, bool withCrashes)
    {
        var argument = (one.Seed, (int)one.Features, one.Bug.Contains('*', StringComparison.Ordinal) ? one.Bug : "", withCrashes);
        return argument.Item3.Length > 0 ? Explore(argument) : PlantedBugs.Named(one.Bug).Run(Explore, argument);
    }

    /// <summary>The kind of failure that is met; none is "".</summary>
    /// <remarks>It may be bound to another engine than the caller, so only what both know goes in and out.</remarks>
    static string Explore((ulong Seed, int Features, string Unsynced, bool WithCrashes) argument)
    {
        var options = new ScenarioOptions(argument.Seed, (Features)argument.Features, Operations);
        var scenario = new StoreScenario(options);
        var disk = new SimulatedFileSystem();
        var skipped = new FaultRule(FaultOperations.Sync, FaultKind.Skip) { PathPattern = argument.Unsynced, IsSticky = true };
        try
        {
            var marks = scenario.Run(disk, new FaultyFileSystem(disk, skipped), hasFaults: false);
            var check = new ScenarioCheck(scenario);
            if (argument.WithCrashes)
            {
                CrashExplorer.Explore(
                    disk, check.Run,
                    new CrashExplorerOptions
                    {
                        Seed = argument.Seed,
                        StateBudget = 800,
                        NestedOneIn = 40,
                        NestedBudget = 5,
                        KilledOneIn = 10,
                        Replay = null,
                    });
            }
            else
            {
                check.Run(disk, marks, argument.Seed, isThorough: true);
            }

            return "";
        }
        catch (CrashCheckException found)
        {
            return KindOf(found.InnerException!);
        }
        catch (Exception found) when (found is ScenarioFailureException or AshlarException)
        {
            return KindOf(found);
        }
    }

    static string KindOf(Exception failure) => failure is ScenarioFailureException { Kind: var kind } ? $"{kind}" : failure.GetType().Name;
}
