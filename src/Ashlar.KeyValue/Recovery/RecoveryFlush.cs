using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Compaction;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Recovery;

/// <summary>
/// Writes what was replayed from a log without a seal to a table, before the store is used. Two reasons: if an earlier
/// process saw a flush fail, the kernel may show bytes that the disk does not have, and a new file makes them durable anew;
/// and a process that keeps dying does not replay more and more.
/// </summary>
sealed class RecoveryFlush(
    StoreFiles files, Manifest manifest, BlockCache cache, ValueSegments values, FileNumbers numbers, KeyValueOptions options)
{
    // Crash order: as in Compactor.FlushOldest. The same log is replayed again, or the table and the end of the logs count.
    public Table? Run(MemTable source, ulong lastSequence)
    {
        var info = source.Count == 0 ? null : Write(source);
        Table? table = null;
        try
        {
            if (info is not null) table = Table.Open(files, info, cache, values);
            List<ulong> dropped;
            using (manifest.Gate.Hold())
            {
                var edit = new ManifestEdit
                {
                    ObsoleteThroughLog = manifest.State.Logs.Keys.Max(),
                    LastSequence = lastSequence,
                    LastCommitTime = source.LastCommitTime,
                };
                if (info is not null) edit.AddedTables.Add(info);
                if (source.Ranges is { } ranges) RangeRetirement.AddRecovered(edit, manifest.State, ranges, lastSequence);
                MemTableFlush.KeepSegments(edit, source, edit.AddedTables, manifest);
                dropped = manifest.Append(edit);
            }

            foreach (var id in dropped) values.Retire(id);
            return table;
        }
        catch
        {
            table?.Release();
            throw;
        }
    }

    TableInfo Write(MemTable source)
    {
        using var builder = new ReferringTableBuilder(files, numbers.Next(), options.BlockBytes);
        var entries = new MemTableIterator(source);
        for (entries.SeekToFirst(); entries.IsValid; entries.Next())
            builder.Add(entries.Key, entries.Sequence, entries.Kind, entries.Value);
        Invariant.Require(builder.Count == source.Count);
        var info = builder.Finish(0);
        files.SyncDirectory();
        return info;
    }
}
