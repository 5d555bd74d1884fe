using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>
    /// Writes what is in memory to tables, and returns when that is done. The log becomes as short as it can be.
    /// </summary>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorageException">The disk refused; the store goes on as before.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    public void Flush()
    {
        ThrowIfUnwritable();
        commits.Run(CommitRequest.RotateMemTable, null, needsSync: true);
        background.WaitForFlush();
    }

    /// <summary>
    /// Flushes, then merges all tables, which drops everything that no reader can see. Takes disk space for a second copy.
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
    public VerificationReport Verify()
    {
        ThrowIfClosed();
        var version = state.Acquire();
        try
        {
            return new Verifier(files, manifest).Run(version);
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>Counts and sizes, cheap to take.</summary>
    public KeyValueStatistics GetStatistics()
    {
        var version = state.Acquire();
        try
        {
            int logs;
            lock (manifest.Gate) logs = manifest.State.Logs.Count;
            var memTables = version.Active.UsedBytes;
            foreach (var table in version.Immutable) memTables += table.UsedBytes;
            return new KeyValueStatistics
            {
                LastSequence = VisibleSequence,
                DurableSequence = DurableSequence,
                CommitGroups = committer.Groups,
                Syncs = committer.Syncs,
                LogBytesWritten = committer.LogBytesWritten,
                TableBytesWritten = compactor.BytesWritten,
                Flushes = compactor.Flushes,
                Compactions = compactor.Compactions,
                WriteStalls = background.Stalls,
                LastBackgroundFailure = background.Failure?.Message,
                MemTableBytes = memTables,
                ImmutableMemTables = version.Immutable.Length,
                LogSegments = logs,
                TablesPerLevel = [.. version.Tables.Levels.Select(level => level.Length)],
                TableBytes = version.Tables.All().Sum(table => table.Info.FileLength),
                TableEntries = version.Tables.All().Sum(table => table.Info.EntryCount),
                CacheBytes = cache.UsedBytes,
                OpenFiles = files.Readers.Count,
                CacheHits = cache.Hits,
                CacheMisses = cache.Misses,
                Snapshots = state.SnapshotCount,
            };
        }
        finally
        {
            version.Release();
        }
    }
}
