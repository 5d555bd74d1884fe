using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;

namespace Ashlar.KeyValue.Repair;

/// <summary>
/// Sorts entries that come in any order, in bounded memory: a memtable full at a time becomes a run, at the end the runs are merged. Of
/// each key only the newest entry is kept, and none that a range which was deleted later covers; of two with one sequence a put, because
/// a tombstone may stand for a value that was lost in one file and is whole in another.
/// </summary>
sealed class RepairRuns : IDisposable
{
    readonly StoreFiles files;
    readonly KeyValueOptions options;
    readonly BlockCache cache = new(0);
    readonly ValueSegments values;
    readonly List<TableInfo> runs = [];
    readonly Dictionary<ulong, RangeTombstone> ranges = [];
    readonly KeyspaceNumbers numbers = new();
    MemTable memTable = new();
    ulong nextId = 1;

    public RepairRuns(StoreFiles files, KeyValueOptions options)
    {
        this.files = files;
        this.options = options;
        values = new ValueSegments(files, cache);
    }

    public ulong LastSequence { get; private set; }

    public ulong NextId => nextId;

    /// <summary>Whether the store has keyspaces: the manifest says so, or the mark of them was found.</summary>
    public bool HasKeyspaces
    {
        get => field || numbers.HasMark;
        init;
    }

    public void Add(ReadOnlySpan<byte> key, ulong sequence, EntryKind kind, ReadOnlySpan<byte> stored)
    {
        memTable.Add(key, sequence, kind, stored);
        numbers.Note(key, kind, stored);
        LastSequence = Math.Max(LastSequence, sequence);
        if (memTable.UsedBytes >= options.MemTableBytes) WriteRun();
    }

    /// <summary>Adds a range that was deleted: older entries of it, whenever they come, are left out.</summary>
    public void Add(RangeTombstone range)
    {
        ranges[range.Sequence] = range;
        LastSequence = Math.Max(LastSequence, range.Sequence);
    }

    /// <summary>Writes the tables of the new store and deletes the runs.</summary>
    public List<TableInfo> Finish()
    {
        WriteRun();
        var opened = runs.ConvertAll(run => Table.Open(files, run, cache, values));
        var result = new List<TableInfo>();
        try
        {
            if (opened.Count > 0)
                Write(new MergeIterator([.. opened.Select(run => run.CreateSequentialIterator())]), 1, keepsTombstones: false, result);
        }
        finally
        {
            foreach (var run in opened) run.Release();
        }

        foreach (var run in runs) files.FileSystem.Delete(files.TablePath(run.Id));
        return result;
    }

    public void Dispose()
    {
        memTable.Release();
        values.Dispose();
        cache.Release();
    }

    void WriteRun()
    {
        if (memTable.IsEmpty) return;
        Write(new MemTableIterator(memTable), 0, keepsTombstones: true, runs);
        memTable.Release();
        memTable = new MemTable();
    }

    void Write(EntryIterator source, int level, bool keepsTombstones, List<TableInfo> result)
    {
        ReferringTableBuilder? builder = null;
        var deleted = keepsTombstones ? null : RangeTombstones.Of(ranges.Values);
        var lacksMark = !keepsTombstones && HasKeyspaces;
        try
        {
            source.SeekToFirst();
            while (source.IsValid)
            {
                var key = source.Key.ToArray();
                var (sequence, kind, stored) = (source.Sequence, source.Kind, source.Value.ToArray());
                for (source.Next(); source.IsValid && source.Key.SequenceEqual(key); source.Next())
                {
                    if (source.Sequence == sequence && kind == EntryKind.Delete && source.Kind != EntryKind.Delete)
                        (kind, stored) = (source.Kind, source.Value.ToArray());
                }

                if (kind == EntryKind.Delete && !keepsTombstones) continue;
                if (deleted?.NewestCovering(key, ulong.MaxValue) > sequence) continue;
                if (lacksMark && KeyspaceRegion.Holds(key))
                {
                    // Without it, or with an older one, the number of a keyspace that is there would be given to another.
                    lacksMark = false;
                    Add(KeyspaceRegion.Start, sequence, EntryKind.Put, KeyspaceRegion.Mark(numbers.Last));
                    if (key.AsSpan().SequenceEqual(KeyspaceRegion.Start)) continue;
                }

                Add(key, sequence, kind, stored);
            }

            if (builder is not null) Complete();
        }
        finally
        {
            builder?.Dispose();
        }

        void Add(ReadOnlySpan<byte> key, ulong sequence, EntryKind kind, ReadOnlySpan<byte> stored)
        {
            if (builder is not null && level > 0 && builder.SizeBytes >= options.TableBytes) Complete();
            builder ??= new ReferringTableBuilder(files, nextId++, options.BlockBytes);
            builder.Add(key, sequence, kind, stored);
        }

        void Complete()
        {
            result.Add(builder!.Finish(level));
            builder.Dispose();
            builder = null;
        }
    }
}
