using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Verification;

/// <summary>Reads every byte that counts, past the cache, and checks what must hold.</summary>
sealed class Verifier(StoreFiles files, Manifest manifest, ValueSegments values)
{
    readonly List<CorruptDataException> problems = [];
    readonly BlockCache cache = new(0);
    long entries;
    long separated;

    /// <summary>Checks the log and tables.</summary>
    /// <param name="version">What is checked.</param>
    /// <param name="tables">Which tables, by number; null for all, and for the segments that they refer to.</param>
    public VerificationReport Run(StoreVersion version, Predicate<ulong>? tables = null)
    {
        foreach (var table in version.Tables.All().Where(table => tables?.Invoke(table.Info.Id) ?? true))
            Check(() => CheckTable(table, version.Tables.Ranges));
        for (var level = 1; level < version.Tables.Levels.Length; level++) CheckOrder(version.Tables.Levels[level]);
        cache.Release();
        var segments = tables is null ? CheckSegments(version.Tables) : 0;
        var logs = CheckLogs();
        return new VerificationReport
        {
            Tables = version.Tables.TableCount,
            LogSegments = logs,
            Entries = entries,
            SeparatedValues = separated,
            ValueSegments = segments,
            Problems = [.. problems],
        };
    }

    void Check(Action check)
    {
        try
        {
            check();
        }
        catch (CorruptDataException problem)
        {
            problems.Add(problem);
        }
    }

    void CheckTable(Table table, RangeTombstones? ranges)
    {
        // Past the cache: blocks come from the disk, not from memory that was checked long ago.
        var info = table.Info;
        var fresh = Table.Open(files, info, cache, values);
        try
        {
            var filters = new FilterWalk(fresh);
            var iterator = fresh.CreateSequentialIterator();
            var valueCheck = new ValueCheck(values);
            var expiries = new ExpirySample();
            var tombstones = 0L;
            byte[]? lastKey = null;
            var lastSequence = 0UL;
            var count = 0L;
            for (iterator.SeekToFirst(); iterator.IsValid; iterator.Next())
            {
                if (lastKey is not null && EntryOrder.Compare(lastKey, lastSequence, iterator.Key, iterator.Sequence) >= 0)
                    throw Wrong($"entry {count} is not in order");
                if (lastKey is null && !iterator.Key.SequenceEqual(info.SmallestKey))
                    throw Wrong("the smallest key is not the one that the manifest says");
                if (iterator.Sequence < info.MinSequence || iterator.Sequence > info.MaxSequence)
                    throw Wrong($"sequence {iterator.Sequence} lies outside what the manifest says");
                if (!filters.MayContain(iterator.Key, iterator.Sequence))
                    throw Wrong($"the filter misses the key of entry {count}");
                if (iterator.Kind.HasPlace())
                    valueCheck.Check(iterator.Key, iterator.Kind, iterator.Value);
                else if (iterator.Kind is not (EntryKind.Put or EntryKind.Delete or EntryKind.ExpiringPut))
                    throw Wrong($"entry {count} is of unknown kind {iterator.Kind}");
                if (iterator.Kind.Expires()) expiries.Add(Expiry.Read(iterator.Value));
                if (iterator.Kind == EntryKind.Delete) tombstones++;
                if (ranges?.StretchOf(iterator.Key).OldestAfter(iterator.Sequence) <= info.RangesAppliedThrough)
                    throw Wrong($"entry {count} was deleted with its range, and should be gone");
                lastKey = iterator.Key.ToArray();
                lastSequence = iterator.Sequence;
                count++;
            }

            if (count != info.EntryCount || count != fresh.Footer.EntryCount)
                throw Wrong($"the manifest says {info.EntryCount} entries, there are {count}");
            if (!lastKey.AsSpan().SequenceEqual(info.LargestKey))
                throw Wrong("the largest key is not the one that the manifest says");
            RequireDeadCounted(tombstones, expiries.ToExpiry());
            valueCheck.Finish(info, table.Path);
            separated += valueCheck.Count;
            entries += count;
        }
        finally
        {
            fresh.Release();
        }

        // By these a table goes without being read. Neither is in a manifest of before they were counted.
        void RequireDeadCounted(long counted, TableExpiry found)
        {
            if (info.TombstoneCount != 0 && info.TombstoneCount != counted)
                throw Wrong($"the manifest says {info.TombstoneCount} tombstones, there are {counted}");
            if (info.Expiry.Count == 0) return;
            var isSame = info.Expiry.Count == found.Count
                && info.Expiry.Moments[0] == found.Moments[0] && info.Expiry.Moments[^1] == found.Moments[^1];
            if (!isSame)
                throw Wrong($"the manifest says that {info.Expiry.Count} entries expire, and when; in the table it is otherwise");
        }

        CorruptDataException Wrong(string problem) => new(table.Path, 0, problem);
    }

    void CheckOrder(Table[] level)
    {
        for (var i = 1; i < level.Length; i++)
        {
            if (level[i - 1].Info.LargestKey.AsSpan().SequenceCompareTo(level[i].Info.SmallestKey) >= 0)
                problems.Add(new(level[i].Path, 0, $"the table overlaps table {level[i - 1].Info.Id} of its level"));
        }
    }

    // The version holds the tables, they hold their segments.
    int CheckSegments(TableSet tables)
    {
        var ids = tables.All().SelectMany(table => table.Info.References).Select(reference => reference.SegmentId).Distinct().ToArray();
        foreach (var id in ids) Check(() => new SegmentCheck(values.Find(id), files.StoreId).Run());
        return ids.Length;
    }

    // Segments that have a successor are complete. The newest one is being written: what of it is durable is checked
    // when it is read.
    int CheckLogs()
    {
        LogInfo[] logs;
        using (manifest.Gate.Hold()) logs = [.. manifest.State.Logs.Values];
        for (var i = 0; i + 1 < logs.Length; i++)
        {
            var (log, next) = (logs[i], logs[i + 1]);
            Check(() => CheckLog(log, next));
        }

        return logs.Length;
    }

    void CheckLog(LogInfo log, LogInfo next)
    {
        var path = files.LogPath(log.Id);
        try
        {
            using var file = files.FileSystem.Open(path, FileOpenMode.ReadOnly);
            var header = LogSegmentHeader.ReadListed(file, log.Id, log.Nonce, files.StoreId);
            new LogReader(file, header).Read(new LogEnd(log.Id, next.PredecessorEnd, next.PredecessorCrc), 0, null);
        }
        catch (StorageException missing) when (missing.Kind == StorageErrorKind.NotFound)
        {
            // Its entries were written to a table meanwhile; still listed, it would be damage.
            using (manifest.Gate.Hold())
            {
                if (manifest.State.Logs.ContainsKey(log.Id))
                    throw new CorruptDataException(path, 0, "the manifest lists this log segment, but the file is missing");
            }
        }
    }
}
