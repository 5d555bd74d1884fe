using Ashlar.KeyValue.Archive;
using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Recovery;

/// <summary>What recovery found: the state to continue from. Manifest, tables and memtable are held for whoever takes them over.</summary>
sealed record RecoveredStore(
    Manifest Manifest, List<Table> Tables, MemTable MemTable, ulong LastSequence, LogEnd LogEnd, FileNumbers Numbers,
    bool IsLogComplete, long LastCommitTime)
{
    public required RecoveryReport Report { get; init; }

    /// <summary>Lets go of what nobody has taken over.</summary>
    public void Release()
    {
        MemTable.Release();
        foreach (var table in Tables) table.Release();
        Manifest.Dispose();
    }
}

/// <summary>
/// Opens what is on disk. First everything is read and checked, and nothing is modified; only then leftovers are removed and
/// what was read from a log without a seal is written to a table.
/// </summary>
sealed class StoreRecovery(StoreFiles files, KeyValueOptions options, BlockCache cache, ValueSegments values)
{
    /// <summary>
    /// A store that is opened and closed often, with few writes each time, gathers at most so many segments.
    /// </summary>
    const int MaxSealedLogs = 8;

    RecoveryReport report = new() { WasClosed = true };

    public RecoveredStore Run()
    {
        var fileSystem = files.FileSystem;
        var names = fileSystem.List(files.Directory);
        if (!fileSystem.FileExists(files.ManifestPath)) return Create(names);

        var manifest = Manifest.Read(files, options);
        var tables = new List<Table>();
        MemTable? memTable = null;
        try
        {
            var opener = new SegmentOpener(files, values, options.ReadOnly);
            foreach (var segment in manifest.State.Segments.Values) opener.OpenValues(segment);
            foreach (var info in manifest.State.Tables.Values) tables.Add(Table.Open(files, info, cache, values));
            RequireLevelsInOrder(tables);
            var orphans = FindOrphans(names, manifest.State);
            memTable = new MemTable();
            var log = ReplayLogs(manifest.State, memTable, opener);
            return Finish(manifest, tables, memTable, log, names, orphans);
        }
        catch
        {
            memTable?.Release();
            foreach (var table in tables) table.Release();
            manifest.Dispose();
            throw;
        }
    }

    RecoveredStore Create(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (name == StoreFiles.ShardsName)
                throw new UnsupportedFormatException(
                    $"{files.Directory}/{name}",
                    "this is a sharded store: open it with ShardedKeyValueStore of the package Ashlar.KeyValue.Sharding");
            if (StoreFiles.IsLogName(name, out _) || StoreFiles.IsTableName(name, out _))
                throw new CorruptDataException(files.ManifestPath, 0, $"the manifest is missing, but {name} is there");
        }

        if (!options.CreateIfMissing || options.ReadOnly)
            throw new StorageException(
                "open", files.ManifestPath, StorageErrorKind.NotFound, 0, "there is no store in this directory");
        files.StoreId = options.Entropy.NextGuid();
        // Before the manifest is there, which is all that a later opening looks for.
        StoreDirectory.MakeNameDurable(files.FileSystem, files.Directory);
        var manifest = Manifest.Create(files, options);
        LogArchiver.Begin(manifest, options);
        return new RecoveredStore(manifest, [], new MemTable(), 0, default, new FileNumbers(1), IsLogComplete: true, 0)
        {
            Report = report,
        };
    }

    /// <summary>Replays the live segments, oldest first: an unbroken prefix of history (invariant I3).</summary>
    LogReadResult ReplayLogs(ManifestState manifest, MemTable memTable, SegmentOpener opener)
    {
        report = new RecoveryReport { WasClosed = manifest.Closed };
        var result = new LogReadResult(default, IsSealed: true, manifest.LastSequence, manifest.LastSequence, 0, 0);
        var last = manifest.Tables.Count == 0 ? 0 : manifest.Tables.Values.Max(table => table.MaxSequence);
        var seen = Math.Max(last, manifest.LastSequence);
        var committed = manifest.LastCommitTime;
        var logs = manifest.Logs.Values.ToArray();
        var replay = new MemTableReplay(memTable, options.SeparatedValueBytes);
        for (var i = 0; i < logs.Length; i++)
        {
            var (segment, header) = opener.OpenLog(logs[i]);
            var path = segment.File.Path;
            memTable.Attach(segment);
            LogEnd? declaredEnd = null;
            if (i + 1 < logs.Length)
            {
                var next = logs[i + 1];
                if (next.PredecessorId != logs[i].Id)
                    throw new CorruptDataException(
                        path, 0, $"log segment {next.Id} does not continue this one, but {next.PredecessorId}");
                declaredEnd = new LogEnd(next.PredecessorId, next.PredecessorEnd, next.PredecessorCrc);
            }

            result = new LogReader(segment.File, header).Read(declaredEnd, last, replay);
            segment.EndOffset = result.End.EndOffset;
            report = report with
            {
                Segments = report.Segments + 1,
                Groups = report.Groups + result.Groups,
                Bytes = report.Bytes + result.End.EndOffset - LogSegmentHeader.SizeBytes,
                EndPath = path,
                EndOffset = result.End.EndOffset,
                TornBytes = result.TornBytes,
            };
            last = Math.Max(last, result.LastSequence);
            seen = Math.Max(seen, result.SeenSequence);
            committed = Math.Max(committed, result.LastCommitTime);
            if (i + 1 == logs.Length && !result.IsSealed)
            {
                if (manifest.Closed)
                    throw new CorruptDataException(
                        path, result.End.EndOffset, "the store was closed in order, but its log does not end with a seal");
            }
        }

        return result with { LastSequence = last, SeenSequence = seen, LastCommitTime = committed };
    }

    RecoveredStore Finish(
        Manifest manifest, List<Table> tables, MemTable memTable, LogReadResult log,
        IReadOnlyList<string> names, List<string> orphans)
    {
        if (options.ReadOnly)
            return new RecoveredStore(
                manifest, tables, memTable, Math.Max(log.LastSequence, log.SeenSequence), log.End, new FileNumbers(1),
                IsLogComplete: true, log.LastCommitTime)
            { Report = report };

        // What was read must not vanish once something was done because of it.
        var wasClosed = manifest.State.Closed; // Then the seal was durable before.
        manifest.MakeDurable();
        files.SyncDirectory();
        if (!wasClosed && memTable.Segments.Count > 0)
            UnsyncedTail.MakeDurable(memTable.Segments[^1].File, log.DurableThrough, log.End.EndOffset);
        foreach (var orphan in orphans) files.TryDelete(orphan);
        var numbers = new FileNumbers(Math.Max(manifest.State.NextFileId, LargestNumber(names) + 1));
        var sequence = Math.Max(log.LastSequence, log.SeenSequence);
        memTable.LastLogId = log.End.SegmentId;
        memTable.LastCommitTime = log.LastCommitTime;
        LogArchiver.Begin(manifest, options);
        if (manifest.State.Logs.Count == 0 || (log.IsSealed && manifest.State.Logs.Count <= MaxSealedLogs))
            return new RecoveredStore(
                manifest, tables, memTable, sequence, log.End, numbers, IsLogComplete: true, log.LastCommitTime)
            { Report = report };

        try
        {
            var compactor = new RecoveryFlush(files, manifest, cache, values, numbers, options);
            if (compactor.Run(memTable, sequence) is { } table) tables.Add(table);
            memTable.Release();
            return new RecoveredStore(
                manifest, tables, new MemTable(), sequence, default, numbers, IsLogComplete: true, log.LastCommitTime)
            { Report = report };
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && !manifest.IsInDoubt)
        {
            // Reading must be possible on a full disk: the log stays, and is replayed again next time.
            return new RecoveredStore(
                manifest, tables, memTable, sequence, log.End, numbers, log.IsSealed, log.LastCommitTime)
            { Report = report };
        }
    }

    /// <summary>
    /// Files of ours that the manifest does not list. They are deleted, never adopted; those of another store are
    /// refused.
    /// </summary>
    List<string> FindOrphans(IReadOnlyList<string> names, ManifestState manifest)
    {
        var orphans = new List<string>();
        foreach (var name in names)
        {
            var path = $"{files.Directory}/{name}";
            if (StoreFiles.IsLogName(name, out var id) && !manifest.Logs.ContainsKey(id) && !manifest.Segments.ContainsKey(id))
            {
                RequireNothingInUnlistedLog(path, id, manifest);
                orphans.Add(path);
            }
            else if (StoreFiles.IsTableName(name, out id) && !manifest.Tables.ContainsKey(id))
            {
                RequireOwnTable(path);
                orphans.Add(path);
            }
            else if (path == files.NewManifestPath)
            {
                orphans.Add(path);
            }
        }

        return orphans;
    }

    // Groups are written to a segment only after the manifest durably names it. One that has groups and is newer than all that
    // the manifest knows proves that the manifest has lost its end.
    void RequireNothingInUnlistedLog(string path, ulong id, ManifestState manifest)
    {
        using var file = files.FileSystem.Open(path, FileOpenMode.ReadOnly);
        if (LogBeginning.TryRead(file, path) is not { } log) return;
        if (log.Header.StoreId != files.StoreId)
            throw new CorruptDataException(path, 0, $"the log belongs to store {log.Header.StoreId}, not to {files.StoreId}");
        if (id > manifest.NewestLog && log.HasGroup)
        {
            throw new CorruptDataException(
                files.ManifestPath, 0, $"log segment {id} holds writes, but the manifest does not list it: it has lost its end");
        }
    }

    void RequireOwnTable(string path)
    {
        using var file = files.FileSystem.Open(path, FileOpenMode.ReadOnly);
        var length = file.LengthBytes;
        if (length < TableFooter.SizeBytes) return;
        Span<byte> bytes = stackalloc byte[TableFooter.SizeBytes];
        if (file.Read(bytes, length - TableFooter.SizeBytes) != bytes.Length || !TableFooter.IsSound(bytes)) return;
        var storeId = TableFooter.ReadStoreId(bytes);
        if (storeId != files.StoreId)
            throw new CorruptDataException(
                path, length - TableFooter.SizeBytes, $"the table belongs to store {storeId}, not to {files.StoreId}");
    }

    void RequireLevelsInOrder(List<Table> tables)
    {
        foreach (var level in tables.Where(table => table.Info.Level > 0).GroupBy(table => table.Info.Level))
        {
            Table? before = null;
            foreach (var table in level.OrderBy(table => table.Info.SmallestKey, KeyOrder.Instance))
            {
                if (before is not null && before.Info.LargestKey.AsSpan().SequenceCompareTo(table.Info.SmallestKey) >= 0)
                    throw new CorruptDataException(
                        files.ManifestPath, 0, $"tables {before.Info.Id} and {table.Info.Id} of level {level.Key} overlap");
                before = table;
            }
        }
    }

    static ulong LargestNumber(IReadOnlyList<string> names)
    {
        var largest = 0UL;
        foreach (var name in names)
        {
            if (StoreFiles.IsLogName(name, out var id) || StoreFiles.IsTableName(name, out id))
                largest = Math.Max(largest, id);
        }

        return largest;
    }
}
