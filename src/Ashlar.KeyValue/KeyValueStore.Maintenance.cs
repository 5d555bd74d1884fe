using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Statistics;
using Ashlar.KeyValue.Verification;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>
    /// Writes what is in memory to tables, and returns when that is done, whatever others write meanwhile. The log becomes as short
    /// as it can be.
    /// </summary>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorageException">The disk refused; the store goes on as before.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    public void Flush()
    {
        ThrowIfUnwritable();
        var written = VisibleSequence;
        commits.Run(CommitRequest.RotateMemTable, null, Durability.Unflushed);
        background.WaitForFlush(written);
    }

    /// <summary>
    /// Flushes, then merges all tables, which drops everything that no reader can see. Takes disk space for a second copy; where there
    /// is less it goes in steps, of a few tables each.
    /// </summary>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorageException">The disk refused; the store goes on as before.</exception>
    /// <exception cref="CorruptDataException">A table is damaged; the store goes on as before.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    public void Compact()
    {
        Flush();
        background.CompactAll();
    }

    /// <summary>Reads everything that is on disk and checks it against its checksums, its order and the manifest.</summary>
    public VerificationReport Verify() => VerifyTables(null);

    /// <summary>Checks the log and some tables.</summary>
    internal VerificationReport VerifyTables(Predicate<ulong>? tables)
    {
        ThrowIfClosed();
        var version = state.Acquire();
        try
        {
            return new Verifier(files, manifest, values).Run(version, tables);
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>Counts and sizes, cheap to take: when tables have changed, a few hundred of their blocks are looked at.</summary>
    public KeyValueStatistics GetStatistics()
    {
        var version = state.Acquire();
        try
        {
            int logs, segments;
            long valueBytes, referencedValueBytes, archiveLagBytes;
            ulong archivedSequence;
            using (manifest.Gate.Hold())
            {
                logs = manifest.State.Logs.Count;
                segments = manifest.State.Segments.Count;
                valueBytes = manifest.State.Segments.Values.Sum(segment => segment.EndOffset);
                referencedValueBytes = manifest.State.References.Values.Sum(reference => reference.LiveBytes);
                archiveLagBytes = MeasureArchiveLag(out archivedSequence);
            }

            var (memTables, memTableEntries) = (version.Active.UsedBytes, version.Active.Count);
            foreach (var table in version.Immutable)
            {
                memTables += table.UsedBytes;
                memTableEntries += table.Count;
            }

            var victims = compactor.Victims;
            var use = SpaceUse.Measure(
                state, version.Tables, manifest, values, victims, files.Kept.Bytes, space.HeldBytes, committer.End.EndOffset);
            return new KeyValueStatistics
            {
                SpaceBytes = use.TotalBytes,
                LiveBytes = use.LiveBytes,
                LogBytes = use.LogBytes,
                LogAheadBytes = use.LogAheadBytes,
                VictimBytes = use.VictimBytes,
                ReservedBytes = space.HeldBytes,
                IsDiskFull = space.IsLow,
                KeptFiles = files.Kept.Count,
                KeptFileBytes = files.Kept.Bytes,
                BlockBytes = cache.AllocatedBytes,
                CacheTakenBytes = cache.TakenBytes,
                Cursors = state.CursorCount,
                OldestReadableSequence = state.OldestReadableSequence(),
                LastSequence = VisibleSequence,
                DurableSequence = DurableSequence,
                Puts = committer.Counters.Puts,
                Deletes = committer.Counters.Deletes,
                RangeDeletes = committer.Counters.RangeDeletes,
                DeletedRanges = version.RangeCount,
                Batches = committer.Counters.Batches,
                ConditionalWrites = committer.Counters.Checks,
                OvertakenWrites = committer.Counters.RefusedChecks,
                BytesPut = committer.Counters.Bytes,
                Gets = gets.Value,
                CommitGroups = committer.Groups,
                Syncs = committer.Syncs,
                SyncTimeMean = committer.Counters.Syncs.Mean,
                SyncTimeMedian = committer.Counters.Syncs.Quantile(0.5),
                SyncTime99 = committer.Counters.Syncs.Quantile(0.99),
                LogBytesWritten = committer.LogBytesWritten,
                FlushBytesWritten = compactor.Counters.FlushBytesWritten,
                CompactionBytesRead = compactor.Counters.MergeBytesRead,
                CompactionBytesWritten = compactor.Counters.MergeBytesWritten,
                Flushes = compactor.Counters.Flushes,
                Compactions = compactor.Counters.Compactions,
                TableMoves = compactor.Counters.Moves,
                TablesDropped = compactor.Counters.Drops,
                WriteStalls = throttle.Stalls.Count,
                StallTime = throttle.Stalls.Time,
                WriteSlowDowns = throttle.SlowDowns.Count,
                SlowDownTime = throttle.SlowDowns.Time,
                SpaceSlowDownTime = throttle.SpaceSlowDownTime,
                DelayPerMebibyte = throttle.DelayPerMebibyte,
                DebtBytes = throttle.Debt.Bytes,
                SpaceDebtBytes = throttle.Debt.Space.ExcessBytes,
                TimeToStall = throttle.TimeToStall(),
                LastBackgroundFailure = background.Failure?.Message,
                MemTableBytes = memTables,
                MemTableEntries = memTableEntries,
                ImmutableMemTables = version.Immutable.Length,
                LogSegments = logs,
                ValueSegments = segments,
                ValueBytes = valueBytes,
                MovedValueBytes = compactor.Counters.MovedValueBytes,
                ReferencedValueBytes = referencedValueBytes,
                Levels = [.. version.Tables.Levels.Select(DescribeLevel)],
                CacheBytes = cache.UsedBytes,
                OpenFiles = files.Readers.Count,
                CacheHits = cache.Hits,
                CacheMisses = cache.Misses,
                CacheValueHits = cache.ValueHits,
                CacheValueMisses = cache.ValueMisses,
                Snapshots = state.SnapshotCount,
                ArchivedSequence = archivedSequence,
                ArchiveParts = archiver?.Progress.PartsWritten ?? 0,
                ArchiveLagBytes = archiveLagBytes,
                ArchiveLag = archiver is null || archiver.HasEnded || archivedSequence >= VisibleSequence
                    ? TimeSpan.Zero
                    : archiver.Progress.Age,
                LastArchiveFailure = archiver?.Failure?.Message,
            };
        }
        finally
        {
            version.Release();
        }
    }

    static LevelStatistics DescribeLevel(Table[] tables, int level) => new(
        level,
        tables.Length,
        tables.Sum(table => table.Info.FileLength),
        tables.Sum(table => table.Info.EntryCount),
        tables.Sum(table => table.Info.TombstoneCount));
}
