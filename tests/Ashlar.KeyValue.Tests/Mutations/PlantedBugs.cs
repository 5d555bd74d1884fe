namespace Ashlar.KeyValue.Tests;

/// <summary>Bugs that the tests must notice. Forgotten syncs of files are planted in the simulated disk instead.</summary>
static class PlantedBugs
{
    const string DirectorySync = "files.SyncDirectory();";

    public static Mutation AcknowledgeBeforeSync { get; } = new(
        nameof(AcknowledgeBeforeSync), new SourceEdit("Commit/Committer.cs", "=> log.UnsyncedBytes > 0;", "=> false;"));

    public static Mutation SkipDirectorySyncOfLog { get; } = new(
        nameof(SkipDirectorySyncOfLog), new SourceEdit("Commit/LogWriter.cs", DirectorySync, ""));

    public static Mutation SkipDirectorySyncOfTable { get; } = new(
        nameof(SkipDirectorySyncOfTable),
        new SourceEdit("Compaction/TableWriter.cs", "if (written.Count > 0) engine.Files.SyncDirectory();", ""),
        new SourceEdit("Recovery/RecoveryFlush.cs", DirectorySync, ""));

    public static Mutation SkipDirectorySyncOfManifest { get; } = new(
        nameof(SkipDirectorySyncOfManifest), new SourceEdit("Manifests/Manifest.cs", DirectorySync, ""));

    public static Mutation SkipLogSyncAtRotation { get; } = new(
        nameof(SkipLogSyncAtRotation),
        new SourceEdit("Commit/LogWriter.cs", "if (UnsyncedBytes > 0)", "if (UnsyncedBytes < 0)"),
        new SourceEdit("Commit/LogWriter.cs", "file.Sync();\n        files.RequireInPlace(); // As in Sync.", ""));

    public static Mutation IgnoreGroupChecksum { get; } = new(
        nameof(IgnoreGroupChecksum),
        new SourceEdit(
            "Log/LogEntryReader.cs",
            "if (Fault is LogEntryFault.Length or LogEntryFault.Key) return false;",
            """
            if (Fault is LogEntryFault.Value || (Fault is LogEntryFault.Key && entry.KeyLength > 0)) Fault = LogEntryFault.None;
            if (Fault is not LogEntryFault.None) return false;
            """),
        new SourceEdit(
            "Log/LogEntryReader.cs",
            "if (Count != header.Count",
            "if (Count >= 0) return LogGroupFault.None;\n        if (Count != header.Count"));

    public static Mutation DropTombstonesEarly { get; } = new(
        nameof(DropTombstonesEarly),
        new SourceEdit("Compaction/TableWriter.cs", "kind == EntryKind.Delete && isBottom(source.Key);", "kind == EntryKind.Delete;"));

    public static Mutation DropExpiredEarly { get; } = new(
        nameof(DropExpiredEarly),
        new SourceEdit("Compaction/TableWriter.cs", "&& isBottom(source.Key);", "&& (hasExpired || isBottom(source.Key));"));

    public static Mutation AdvanceReplayBeforeTable { get; } = new(
        nameof(AdvanceReplayBeforeTable),
        new SourceEdit(
            "Compaction/MemTableFlush.cs",
            "var tables = writer.Write(",
            """
            using (engine.Manifest.Gate.Hold()) engine.Manifest.Append(new ManifestEdit { ObsoleteThroughLog = source.LastLogId });
            var tables = writer.Write(
            """));

    public static Mutation DeleteInputsBeforeEdit { get; } = new(
        nameof(DeleteInputsBeforeEdit), BeforeEditOfMerge("foreach (var input in replaced) engine.Files.FileSystem.Delete(input.Path);"));

    public static Mutation DropVictimsBeforeEdit { get; } = new(
        nameof(DropVictimsBeforeEdit), BeforeEditOfMerge("foreach (var id in victims) engine.Files.TryDelete(engine.Files.LogPath(id));"));

    public static Mutation MoveInTwoEdits { get; } = new(
        nameof(MoveInTwoEdits),
        RemoveAndAddAgain,
        new SourceEdit(
            "Compaction/TableMerge.cs",
            "installer.Install(new ManifestEdit(), plan.Inputs",
            "installer.RemoveAndAddAgain(plan.Inputs); installer.Install(new ManifestEdit(), plan.Inputs"));

    public static Mutation StepInTwoEdits { get; } = new(
        nameof(StepInTwoEdits),
        RemoveAndAddAgain,
        new SourceEdit(
            "Compaction/TableMerge.cs",
            "new RangeIterator(new MergeIterator([.. Iterate(sources)]), after, through)",
            "RemoveFirst(new RangeIterator(new MergeIterator([.. Iterate(sources)]), after, through), replaced)"),
        new SourceEdit(
            "Compaction/TableMerge.cs",
            "    static IEnumerable<EntryIterator> Iterate(Table[] tables)",
            """
                EntryIterator RemoveFirst(EntryIterator source, Table[] replaced)
                {
                    installer.RemoveAndAddAgain(replaced);
                    return source;
                }

                static IEnumerable<EntryIterator> Iterate(Table[] tables)
            """));

    public static Mutation MergeNewestOfLevelZeroOnly { get; } = new(
        nameof(MergeNewestOfLevelZeroOnly),
        new SourceEdit(
            "Compaction/CompactionPicker.cs",
            "var plan = Plan(tables, levelZero, 1);",
            "return Plan(tables, levelZero[..1], 1);\n        var plan = Plan(tables, levelZero, 1);"));

    public static Mutation InstallBeforeMovedValuesAreSynced { get; } = new(
        nameof(InstallBeforeMovedValuesAreSynced), new SourceEdit("Values/ValueMover.cs", "file!.Sync();", ""));

    public static Mutation IgnoreValueChecksum { get; } = new(
        nameof(IgnoreValueChecksum), new SourceEdit("Values/ValueSegment.cs", "if (actual != place.ValueCrc)", "if (false)"));

    public static Mutation SkipRewriteOfUnsyncedTail { get; } = new(
        nameof(SkipRewriteOfUnsyncedTail), new SourceEdit(
            "Recovery/StoreRecovery.cs", "if (!wasClosed && memTable", "if (false && memTable"));

    public static Mutation AcknowledgeByLaterFlush { get; } = new(
        nameof(AcknowledgeByLaterFlush),
        new SourceEdit("Commit/InFlightSyncs.cs", ".HasSucceeded && Failure is null;", ".HasSucceeded;"),
        new SourceEdit(
            "Commit/InFlightSyncs.cs",
            "while (MayCount(counted + 1))",
            "if (error is null) counted = Math.Max(counted, sync - 1);\n        while (MayCount(counted + 1))"));

    public static Mutation DurableThroughBeforeSync { get; } = new(
        nameof(DurableThroughBeforeSync), new SourceEdit("Commit/LogWriter.cs", "Volatile.Read(ref durableThrough),\n", "end,\n"));

    public static Mutation PublishBeforeInsertion { get; } = new(
        nameof(PublishBeforeInsertion),
        // The groups before it are published later, which the engine itself would notice.
        new SourceEdit(
            "Versions/StoreState.cs",
            "Invariant.Require(sequence >= visibleSequence);",
            "if (sequence < visibleSequence) return;"),
        new SourceEdit(
            "Commit/Committer.cs",
            "var offset = Append(group.Members, bodyLength, count);",
            """
            state.Publish(lastSequence + (ulong)count);
            Thread.Yield();
            var offset = Append(group.Members, bodyLength, count);
            """));

    public static Mutation SnapshotOfUnpublished { get; } = new(
        nameof(SnapshotOfUnpublished),
        new SourceEdit(
            "Versions/StoreState.cs",
            "var sequence = VisibleSequence;\n            snap",
            "var sequence = VisibleSequence + 2;\n            snap"));

    public static Mutation SkipDirectorySyncOfArchive { get; } = new(
        nameof(SkipDirectorySyncOfArchive), new SourceEdit("Archive/ArchiveDirectory.cs", "FileSystem.SyncDirectory(Path);", ""));

    public static Mutation ReleaseLogBeforeArchive { get; } = new(
        nameof(ReleaseLogBeforeArchive),
        new SourceEdit(
            "Archive/LogArchiver.cs",
            "var durable = durableSequence();",
            "copy.ReleaseEverything();\n                var durable = durableSequence();"),
        new SourceEdit(
            "Archive/LogCopy.cs",
            "    void ArchiveSegment(",
            """
                public void ReleaseEverything()
                {
                    using (manifest.Gate.Hold())
                    {
                        if (poison.IsSet || manifest.State.Logs.Count == 0) return;
                        var position = progress.Position with { ThroughLog = manifest.State.Logs.Keys.Max() };
                        foreach (var id in manifest.Append(new ManifestEdit { Archive = position })) values.Retire(id);
                    }
                }

                void ArchiveSegment(
            """));

    public static Mutation ArchiveBeforeSync { get; } = new(
        nameof(ArchiveBeforeSync), new SourceEdit("Archive/LogCopy.cs", "if (!isDurable) break;", ""));

    public static Mutation DropShadowedUnderSnapshot { get; } = new(
        nameof(DropShadowedUnderSnapshot),
        new SourceEdit("Compaction/TableMerge.cs", "read.Slot, key, oldestReadable)", "read.Slot, key, engine.State.VisibleSequence)"));

    public static Mutation ForgetSnapshotsButTheOldest { get; } = new(
        nameof(ForgetSnapshotsButTheOldest),
        new SourceEdit("Compaction/TableWriter.cs", "new EntryFilter(readable)", "new EntryFilter([readable[0], readable[^1]])"));

    public static Mutation FreeWithoutLookingForReaders { get; } = new(
        nameof(FreeWithoutLookingForReaders), new SourceEdit("Cache/ReadEpoch.cs", "return oldest;", "return long.MaxValue;"));

    public static Mutation TrustManifestOfAnotherProcess { get; } = new(
        nameof(TrustManifestOfAnotherProcess), new SourceEdit("Recovery/StoreRecovery.cs", "manifest.MakeDurable();", ""));

    public static Mutation SkipDirectorySyncOfPruning { get; } = new(
        nameof(SkipDirectorySyncOfPruning),
        new SourceEdit("Restore/LogArchive.cs", "directory.FileSystem.SyncDirectory(directory.Path);", ""));

    public static Mutation DeleteFilesBeforeRecordOfBackup { get; } = new(
        nameof(DeleteFilesBeforeRecordOfBackup),
        new SourceEdit(
            "Restore/KeyValueBackups.cs",
            "directory.Remove(number);",
            """
            foreach (var file in directory.ReadRecord(number).Files) directory.FileSystem.TryDelete(directory.PathOf(file.StoredName));
            directory.Remove(number);
            """));

    public static Mutation SkipSyncOfRestoredManifest { get; } = new(
        nameof(SkipSyncOfRestoredManifest), new SourceEdit("Restore/KeyValueBackups.cs", "manifest.Sync();", ""));

    public static Mutation SkipSyncOfCopiedFiles { get; } = new(
        nameof(SkipSyncOfCopiedFiles), new SourceEdit("Files/FileCopy.cs", "file.Sync();", ""));

    public static Mutation SkipDirectorySyncOfRestore { get; } = new(
        nameof(SkipDirectorySyncOfRestore),
        new SourceEdit(
            "Backup/RestoreTarget.cs", "{StoreFiles.ManifestName}\");\n        fileSystem.SyncDirectory(directory);",
            "{StoreFiles.ManifestName}\");"));

    public static Mutation FailedReadIsNotFound { get; } = new(
        nameof(FailedReadIsNotFound),
        new SourceEdit(
            "Versions/StoreVersion.cs",
            "if (!Tables.TryFind(slot, key, sequence, out var block, out var position)) return false;",
            """
            Ashlar.KeyValue.Blocks.Block block;
            int position;
            try
            {
                if (!Tables.TryFind(slot, key, sequence, out block, out position)) return false;
            }
            catch (Ashlar.Storage.StorageException)
            {
                return false;
            }
            """));

    public static Mutation FailedReadEndsScan { get; } = new(
        nameof(FailedReadEndsScan),
        new SourceEdit(
            "KeyValueCursor.cs",
            "isOnEntry = isQueued || Step();",
            """
            try
            {
                isOnEntry = isQueued || Step();
            }
            catch (Ashlar.Storage.StorageException)
            {
                isOnEntry = false;
            }
            """));

    public static Mutation FailedReadEndsRepair { get; } = new(
        nameof(FailedReadEndsRepair),
        new SourceEdit(
            "Repair/KeyValueRepair.cs",
            "        scan(file);",
            """
                    try
                    {
                        scan(file);
                    }
                    catch (StorageException)
                    {
                    }
            """));

    public static Mutation CloseWithoutTelling { get; } = new(
        nameof(CloseWithoutTelling),
        new SourceEdit("KeyValueStore.Closing.cs", "=> poison.IsSet ? poison.ToException() : closingFailure;", "=> null;"));

    public static Mutation CheckPublishedWritesOnly { get; } = new(
        nameof(CheckPublishedWritesOnly),
        new SourceEdit(
            "Commit/ConditionChecker.cs",
            "version.TryFindWrite(condition.Key, ulong.MaxValue,",
            "version.TryFindWrite(condition.Key, state.VisibleSequence,"));

    public static Mutation ForgetMembersOfTheSameGroup { get; } = new(
        nameof(ForgetMembersOfTheSameGroup),
        new SourceEdit("Commit/ConditionChecker.cs", "if (i < group.Members.Count - 1) Remember(write);", ""));

    public static Mutation TakeMemtablesForAllThatWasWritten { get; } = new(
        nameof(TakeMemtablesForAllThatWasWritten),
        new SourceEdit("Commit/ConditionChecker.cs", "check.HeldAt < flushedThrough ?", "false ?"));

    public static Mutation ForgetRangesThatWereScanned { get; } = new(
        nameof(ForgetRangesThatWereScanned),
        new SourceEdit("Transactions/TransactionReads.cs", "ranges.Where(range => !range.IsEmpty)", "ranges.Where(_ => false)"));

    public static Mutation CompareConditionsByPresence { get; } = new(
        nameof(CompareConditionsByPresence),
        new SourceEdit(
            "KeyValueStore.Conditional.cs",
            "if ((isPresent ? found.Sequence : 0) != condition.Sequence)",
            "if (isPresent != condition.Sequence > 0)"));

    public static Mutation GiveNumberOfKeyspaceAgain { get; } = new(
        nameof(GiveNumberOfKeyspaceAgain),
        new SourceEdit("KeyValueStore.Keyspaces.cs", "checked((last ?? 0) + 1)", "(uint)ListKeyspaces().Count + 1"));

    public static Mutation OpenKeyspaceWithoutFlush { get; } = new(
        nameof(OpenKeyspaceWithoutFlush),
        new SourceEdit(
            "KeyValueStore.Keyspaces.cs",
            "Write(batch, Durability.Sync);\n            return",
            "Write(batch, Durability.Unflushed);\n            return"));

    public static Mutation DropKeyspaceInTwoBatches { get; } = new(
        nameof(DropKeyspaceInTwoBatches),
        new SourceEdit(
            "KeyValueStore.Keyspaces.cs",
            "                batch.Delete(key);\n                batch.DeleteRange(",
            """
                            var first = new WriteBatch { IsOfEngine = true };
                            first.DeleteRange(KeyRange.Between(dropped.Identity.Prefix, dropped.Identity.End));
                            Write(first, Durability.Sync);
                            batch.Delete(key);
                            batch.DeleteRange(
            """));

    public static Mutation RepairWithoutKeyspaces { get; } = new(
        nameof(RepairWithoutKeyspaces),
        new SourceEdit(
            "Repair/KeyValueRepair.cs",
            "(runs.HasKeyspaces ? StoreFeatures.Keyspaces : StoreFeatures.None),",
            "StoreFeatures.None,"),
        new SourceEdit(
            "Repair/KeyValueRepair.cs", "(state?.Features ?? StoreFeatures.None) |", "StoreFeatures.RangeDeletes |"));

    public static Mutation RestoreWithoutKeyspaces { get; } = new(
        nameof(RestoreWithoutKeyspaces),
        new SourceEdit("Restore/PointInTimeRestore.cs", "        store.ReserveKeyspacesIfIn(batch);\n", ""));

    static SourceEdit RemoveAndAddAgain => new(
        "Compaction/TableInstaller.cs",
        "    void Delete(List<TableInfo> outputs)",
        """
            public void RemoveAndAddAgain(Table[] tables)
            {
                var removal = new ManifestEdit();
                removal.RemovedTables.AddRange(tables.Select(table => table.Info.Id));
                var addition = new ManifestEdit();
                using (engine.Manifest.Gate.Hold())
                {
                    var segments = engine.Manifest.State.Segments.Values.ToArray();
                    var dropped = engine.Manifest.Append(removal);
                    addition.AddedSegments.AddRange(segments.Where(segment => dropped.Contains(segment.Id)));
                }

                addition.AddedTables.AddRange(tables.Select(table => table.Info));
                using (engine.Manifest.Gate.Hold()) engine.Manifest.Append(addition);
            }

            void Delete(List<TableInfo> outputs)
        """);

    static SourceEdit BeforeEditOfMerge(string statement) => new(
        "Compaction/TableMerge.cs",
        "        var edit = new ManifestEdit();\n        edit.AddedSegments",
        $"        {statement}\n        engine.Files.SyncDirectory();\n        var edit = new ManifestEdit();\n        edit.AddedSegments");

    public static IEnumerable<Mutation> All => typeof(PlantedBugs).GetProperties().Select(one => one.GetValue(null)).OfType<Mutation>();

    /// <summary>The one of that name.</summary>
    public static Mutation Named(string name) => (Mutation)typeof(PlantedBugs).GetProperty(name)!.GetValue(null)!;
}
