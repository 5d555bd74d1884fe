namespace Ashlar.KeyValue.Tests;

/// <summary>A mistake in the engine, and the test that turns red by it.</summary>
/// <param name="Bug">The mistake.</param>
/// <param name="TestClass">Where the test is.</param>
/// <param name="Test">Its name.</param>
/// <param name="Says">What of the failure shows that it is this mistake that was seen.</param>
/// <param name="Arguments">Of a theory.</param>
sealed record KilledMutation(Mutation Bug, Type TestClass, string Test, string Says, params object?[] Arguments);

/// <summary>
/// Mistakes of one line, most of them in what is hardly ever needed: after a crash after a crash, on a disk that fills up, while nobody
/// looks.
/// </summary>
static class KilledMutations
{
    public static IReadOnlyList<KilledMutation> All { get; } =
    [
        Kill<DurabilityTests>(
            "Commit/Committer.cs", "            durability.StartTimer();\n", "",
            nameof(DurabilityTests.A_relaxed_write_that_nobody_waits_for_is_durable_within_the_stated_time), "Actual:   null"),
        Kill<CommitTimeTests>(
            "Commit/LogWriter.cs", "Math.Max(LastCommitTime, CommitTime.Of(options.TimeProvider.GetUtcNow()))",
            "CommitTime.Of(options.TimeProvider.GetUtcNow())",
            nameof(CommitTimeTests.Times_do_not_go_back_where_the_clock_does_while_the_store_is_open), "commit time", false),
        Kill<CommitTimeTests>(
            "Commit/LogWriter.cs", "LastCommitTime = lastCommitTime; // No group gets a smaller one.", "",
            nameof(CommitTimeTests.Times_do_not_go_back_where_the_clock_does), "Assert.Equal", CommitTimeTests.Ending.Crash),
        Kill<RestoreCrashTests>(
            "Restore/KeyValueBackups.cs", "        manifest.Sync();\n", "",
            nameof(RestoreCrashTests.A_power_cut_leaves_the_restored_store_or_none_and_none_is_lost_once_it_was_reported),
            "MANIFEST", RestoreCrashTests.Kind.Backup),
        Kill<RestoreCrashTests>(
            "Files/FileCopy.cs", "        file.Sync();\n", "",
            nameof(RestoreCrashTests.A_power_cut_leaves_the_restored_store_or_none_and_none_is_lost_once_it_was_reported),
            "/restored/", RestoreCrashTests.Kind.Backup),
        Kill<RestoreCrashTests>(
            "Backup/RestoreTarget.cs", "            fill(directory);\n            fileSystem.SyncDirectory(directory);",
            "            fill(directory);",
            nameof(RestoreCrashTests.A_power_cut_leaves_the_restored_store_or_none_and_none_is_lost_once_it_was_reported),
            "missing", RestoreCrashTests.Kind.Backup),
        Kill<RestoreCrashTests>(
            "Backup/RestoreTarget.cs", "{StoreFiles.ManifestName}\");\n        fileSystem.SyncDirectory(directory);",
            "{StoreFiles.ManifestName}\");",
            nameof(RestoreCrashTests.A_power_cut_leaves_the_restored_store_or_none_and_none_is_lost_once_it_was_reported),
            "the manifest is missing", RestoreCrashTests.Kind.PointInTime),
        Kill<PruneCrashTests>(
            "Restore/LogArchive.cs", "            directory.FileSystem.SyncDirectory(directory.Path);\n", "",
            nameof(PruneCrashTests.A_power_cut_while_parts_are_deleted_leaves_an_archive_without_a_gap), "Assert.Empty"),
        Kill<UnsyncedNameTests>(
            "Archive/ArchiveClaim.cs", "        fileSystem.SyncDirectory(directory.Path);\n", "",
            nameof(UnsyncedNameTests.The_name_of_a_part_is_durable_before_the_log_goes_because_of_it), "none of them is here"),
        Kill<GroupLimitTests>(
            "Commit/CommitGroup.cs", " && LengthBytes + write.LengthBytes <= LogGroupLimit.Bytes", "",
            nameof(GroupLimitTests.What_gathers_behind_a_flush_is_written_in_groups_of_bounded_length), "Assert.InRange"),
        Kill<LeftoverNumberTests>(
            "Recovery/StoreRecovery.cs", "Math.Max(manifest.State.NextFileId, LargestNumber(names) + 1)", "manifest.State.NextFileId",
            nameof(LeftoverNumberTests.A_leftover_that_cannot_be_deleted_is_in_nobodys_way), "exists", "log-"),
        Kill<UnsyncedTailTests>(
            "Recovery/UnsyncedTail.cs", "        file.Sync();\n", "",
            nameof(UnsyncedTailTests.What_was_recovered_is_made_durable_anew_before_a_table_refers_to_it), "Assert.True"),
        Kill<PoisonedInstallTests>(
            "Compaction/TableInstaller.cs", "        engine.Poison.ThrowIfSet();\n", "",
            nameof(PoisonedInstallTests.Tables_that_are_ready_after_the_store_was_poisoned_change_nothing), "Assert.Equal", true),
        Kill<PoisonedInstallTests>(
            "Compaction/TableInstaller.cs", "        engine.Poison.ThrowIfSet();\n", "",
            nameof(PoisonedInstallTests.Tables_that_are_ready_after_the_store_was_poisoned_change_nothing), "Assert.Equal", false),
        Kill<HalfEditTests>(
            "Manifests/Manifest.cs", "            file.SetLength(end);\n            isInDoubt = false;", "            isInDoubt = false;",
            nameof(HalfEditTests.What_a_full_disk_took_of_an_edit_is_cut_off), "Assert.Equal"),
        Kill<RangeDeleteTests>(
            "SortedTable/TableInfo.cs", "MinSequence < range.Sequence &&", "MaxSequence < range.Sequence &&",
            nameof(RangeDeleteTests.A_range_stays_as_long_as_a_table_holds_what_it_deleted), "Assert.Equal"),
        Kill<RangeDeleteTests>(
            "Compaction/DeadTables.cs", "info.MaxSequence, readable[first])", "info.MaxSequence, readable[^1])",
            nameof(RangeDeleteTests.Tables_in_the_range_stay_for_a_snapshot_that_sees_them), "Assert.Equal"),
        Kill<RangeDeleteTests>(
            "Compaction/TableInstaller.cs", "FollowRanges(edit, inputs, flushed?.Ranges)", "FollowRanges(edit, inputs, null)",
            nameof(RangeDeleteTests.A_range_outlives_the_memtable_that_it_was_deleted_in), "Assert.Equal"),
        new(
            new Mutation(
                "Compaction/TableWriter.cs: drops what is newer than the range",
                new SourceEdit("Compaction/TableWriter.cs", "OldestAfter(source.Sequence)", "OldestAfter(0)"),
                new SourceEdit("Compaction/EntryFilter.cs", "Invariant.Require(deletedBy > sequence);", "")),
            typeof(RangeDeleteTests), nameof(RangeDeleteTests.In_a_batch_what_comes_before_goes_and_what_comes_behind_stays),
            "Assert.Equal"),
        Kill<RangeDeleteTests>(
            "Commit/Committer.cs", "if (group.RangeDeletes > 0) RequireRangeDeletes(group);", "",
            nameof(RangeDeleteTests.A_store_says_that_programs_must_know_of_deleted_ranges_before_one_is_in_its_log), "Assert.Equal"),
        Kill<NewerEntriesTests>(
            "MemTables/SkipList.cs", "level < oldHeight || !isTracking ? NewestOf(before[level], level) : sequence", "0",
            nameof(NewerEntriesTests.The_next_entry_that_is_not_older_is_that_of_a_walk_over_all), "Assert.True", 1UL),
        Kill<NewerEntriesTests>(
            "MemTables/SkipList.cs", "level < height; level++)\n                Volatile",
            "level < nodeHeight; level++)\n                Volatile",
            nameof(NewerEntriesTests.What_was_put_into_a_deleted_range_again_is_found_without_a_step_for_each_entry_around_it),
            "Assert.Equal"),
        Kill<EarlyFlushTests>(
            "SortedTable/CoveredShare.cs", "is null or 0) known = null;", "is null or >= 0) known = null;",
            nameof(EarlyFlushTests.A_snapshot_that_keeps_it_costs_one_flush_and_not_one_for_each_time_that_it_is_deleted),
            "Assert.Equal"),
        Kill<RangeDeleteTests>(
            "Versions/LiveEstimate.cs", "ranges is null || !CoveredShare.Covers(ranges, key, block.SequenceAt(position), oldestReadable)",
            "true",
            nameof(RangeDeleteTests.What_ranges_cover_does_not_count_as_live_and_what_is_put_there_again_does), "Assert.InRange", true),
        Kill<ExpiryClockTests>(
            "Engine/ExpiryClock.cs", "jump - ahead <= Tolerance ? jump : ahead", "jump",
            nameof(ExpiryClockTests.A_jump_on_top_of_another_has_to_be_seen_as_long_itself), "Assert.True"),
        Kill<ExpiryClockTests>(
            "Compaction/TableWriter.cs", "engine.ExpiryClock.Now()", "Expiry.Now(engine.Options.TimeProvider)",
            nameof(ExpiryClockTests.Neither_tables_nor_merges_lose_what_has_expired_by_a_clock_that_is_put_right), "Assert.Equal", 40),
        Kill<KeyspaceTests>(
            "KeyValueStore.Keyspaces.cs", "dropped.Identity.IsDropped = true;", "",
            nameof(KeyspaceTests.Readers_of_before_go_on_and_every_other_call_says_that_it_was_dropped), "Assert.True"),
        Kill<CompactionPickerTests>(
            "Compaction/DeadTables.cs", "IsDead(table.Info, now) && !HasLiveBelow(tables, level, table.Info, dead)",
            "IsDead(table.Info, now)",
            nameof(CompactionPickerTests.What_has_expired_stays_a_tombstone_for_what_lies_below_it), "Assert.False", 3),
        Kill<RestoreCrashTests>(
            "Manifests/Manifest.cs", "        Adopt(files, written.File, options);\n        Use(written);\n        return true;",
            """
                    try
                    {
                        Adopt(files, written.File, options);
                    }
                    catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
                    {
                        return false;
                    }

                    Use(written);
                    return true;
            """,
            nameof(RestoreCrashTests.Whatever_fails_there_is_the_whole_store_or_an_error_and_none), "the file is missing",
            RestoreCrashTests.Kind.PointInTime, Simulation.FaultKind.NoSpace),
    ];

    static KilledMutation Kill<TTests>(
        string file, string original, string replacement, string test, string says, params object?[] arguments) =>
        new(new Mutation($"{file}: {test}", new SourceEdit(file, original, replacement)), typeof(TTests), test, says, arguments);
}
