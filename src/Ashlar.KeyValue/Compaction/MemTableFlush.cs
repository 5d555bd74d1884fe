using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Writes the oldest waiting memtable to a level-0 table, and lets go of the logs that held it.</summary>
sealed class MemTableFlush(
    EngineContext engine, TableWriter writer, TableInstaller installer, WriteThrottle throttle, SpaceReserve space,
    CompactionCounters counters)
{
    long tableBytes;

    /// <summary>Bytes of the tables that memtables became lately, smoothed; 0 before the first.</summary>
    public long TableBytes => Volatile.Read(ref tableBytes);

    /// <summary>Writes one; false if none waits.</summary>
    /// <param name="mayMerge">Whether there may be anything to merge, which on a full disk comes first.</param>
    // Crash order:
    //   1. Write the table, sync it, sync the directory.   Crash: an orphan; the log still has the entries.
    //   2. One manifest edit adds the table and the ranges that were deleted in the memtable, makes its logs obsolete, and keeps
    //      those that hold values of the table: all or nothing (invariants I3, I5, I9). The logs are sealed and synced, or a rotation
    //      had failed.
    //   3. Publish the version; other logs go with their last reader. Crash: unlisted logs, deleted at open.
    public bool TryRun(bool mayMerge)
    {
        var version = engine.State.Acquire();
        var isDone = false;
        try
        {
            if (version.Immutable.Length == 0) return false;
            var source = version.Immutable[^1];
            using var grant = space.IsLow ? space.TakeForFlush(source.ContentBytes, mayMerge) : null;
            RequireSealedLogs(source);
            throttle.Flushing.Begin(source.UsedBytes);
            var edit = new ManifestEdit
            {
                ObsoleteThroughLog = source.LastLogId,
                LastSequence = source.LastSequence,
                LastCommitTime = source.LastCommitTime,
            };
            var tables = writer.Write(new MemTableIterator(source), source.Ranges);
            KeepSegments(edit, source, tables, engine.Manifest);
            installer.Install(edit, [], tables, source);
            var bytes = tables.Sum(table => table.FileLength);
            Volatile.Write(ref tableBytes, tableBytes == 0 ? bytes : ((3 * tableBytes) + bytes) / 4);
            if (bytes > 0) throttle.MemoryPerTableByte = (double)source.UsedBytes / bytes;
            counters.CountFlush(bytes);
            isDone = true;
            return true;
        }
        finally
        {
            throttle.Flushing.End(isDone);
            version.Release();
        }
    }

    // What is obsolete is not replayed: the log that is being written never is.
    static void RequireSealedLogs(MemTable source)
    {
        foreach (var segment in source.Segments)
            Invariant.Require(segment.EndOffset > 0 && segment.Id <= source.LastLogId);
        Invariant.Require(source.Segments.Count == 0 || source.Segments[^1].Id == source.LastLogId);
    }

    /// <summary>
    /// Lists the segments of a memtable that its tables refer to, or that the archive does not have: they are not replayed any more,
    /// but stay. Those that it has had meanwhile go with the edit that lists them.
    /// </summary>
    public static void KeepSegments(ManifestEdit edit, MemTable source, IReadOnlyList<TableInfo> tables, Manifest manifest)
    {
        bool isArchived;
        using (manifest.Gate.Hold()) isArchived = manifest.State.Archive is not null;
        foreach (var segment in source.Segments)
        {
            if (isArchived || tables.Any(table => table.References.Any(reference => reference.SegmentId == segment.Id)))
                edit.AddedSegments.Add(segment.Info);
        }
    }
}
