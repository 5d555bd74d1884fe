using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.SortedTable;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Versions;

/// <summary>
/// The tables of one moment, immutable. Level 0 is what memtables became, newest first, and may overlap; tables of a deeper
/// level do not overlap and are in key order. For one key, anything above is newer than anything below (invariant I1).
/// </summary>
sealed class TableSet : SharedResource
{
    LiveData? live;

    TableSet(Table[][] levels, RangeTombstones? ranges) => (Levels, Ranges) = (levels, ranges);

    public Table[][] Levels { get; }

    /// <summary>
    /// Ranges that are deleted and of which tables may hold entries; null if there are none. All of them are in the manifest, so they are
    /// durable, and published.
    /// </summary>
    public RangeTombstones? Ranges { get; }

    /// <summary>What of it is live, once that was estimated (<see cref="LiveEstimate"/>).</summary>
    public LiveData? Live
    {
        get => Volatile.Read(ref live);
        set => Volatile.Write(ref live, value);
    }

    public Table[] LevelZero => Levels[0];

    public int TableCount => Levels.Sum(level => level.Length);

    /// <summary>Makes a set of tables, of which it takes references of its own.</summary>
    public static TableSet Create(IEnumerable<Table> tables, RangeTombstones? ranges = null)
    {
        var levels = new List<Table>[ManifestState.LevelCount];
        for (var level = 0; level < levels.Length; level++) levels[level] = [];
        foreach (var table in tables)
        {
            table.Acquire();
            levels[table.Info.Level].Add(table);
        }

        levels[0].Sort((left, right) => right.Info.MaxSequence.CompareTo(left.Info.MaxSequence));
        for (var level = 1; level < levels.Length; level++)
        {
            levels[level].Sort((left, right) => left.Info.SmallestKey.AsSpan().SequenceCompareTo(right.Info.SmallestKey));
            RequireDisjoint(levels[level]);
        }

        return new TableSet([.. levels.Select(level => level.ToArray())], ranges);
    }

    public IEnumerable<Table> All() => Levels.SelectMany(level => level);

    /// <summary>The newest entry of all; 0 if there is none.</summary>
    public ulong NewestSequence() => All().Select(table => table.Info.MaxSequence).DefaultIfEmpty().Max();

    public long LevelBytes(int level) => Levels[level].Sum(table => table.Info.FileLength);

    /// <summary>Finds the newest entry of a key at or below a sequence, for a reader within the epoch.</summary>
    public bool TryFind(int slot, ReadOnlySpan<byte> key, ulong sequence, out Block data, out int position) =>
        TryFindAbove(Levels.Length, slot, key, sequence, out data, out position);

    /// <summary>
    /// Whether a table above a level, not level 0, holds an entry of a key that is at or below a sequence: newer than any in
    /// the level (I1). For a reader within the epoch.
    /// </summary>
    public bool HasNewer(int level, int slot, ReadOnlySpan<byte> key, ulong sequence) =>
        TryFindAbove(level, slot, key, sequence, out _, out _);

    bool TryFindAbove(
        int end, int slot, ReadOnlySpan<byte> key, ulong sequence, out Block data, out int position)
    {
        var hash = KeyHash.Compute(key);
        foreach (var table in LevelZero)
        {
            if (table.Info.Covers(key) && table.TryFind(slot, key, hash, sequence, out data, out position)) return true;
        }

        for (var level = 1; level < end; level++)
        {
            var tables = Levels[level];
            var at = LevelIterator.FindTable(tables, key);
            if (at < tables.Length && tables[at].Info.Covers(key) && tables[at].TryFind(slot, key, hash, sequence, out data, out position))
                return true;
        }

        data = default;
        position = 0;
        return false;
    }

    /// <summary>Whether a table below a level may hold a key.</summary>
    public bool MayContainBelow(int level, ReadOnlySpan<byte> key)
    {
        for (var deeper = level + 1; deeper < Levels.Length; deeper++)
        {
            var at = LevelIterator.FindTable(Levels[deeper], key);
            if (at < Levels[deeper].Length && Levels[deeper][at].Info.Covers(key)) return true;
        }

        return false;
    }

    /// <summary>The tables of a level (not level 0) that overlap a range of keys, borders included.</summary>
    public ReadOnlySpan<Table> Overlapping(int level, ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest)
    {
        var tables = Levels[level];
        var first = LevelIterator.FindTable(tables, smallest);
        var end = first;
        while (end < tables.Length && tables[end].Info.SmallestKey.AsSpan().SequenceCompareTo(largest) <= 0) end++;
        return tables.AsSpan(first, end - first);
    }

    /// <summary>Bytes of the tables of a level (not level 0) that overlap a range of keys, borders included.</summary>
    public long OverlappingBytes(int level, ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest)
    {
        var bytes = 0L;
        foreach (var table in Overlapping(level, smallest, largest)) bytes += table.Info.FileLength;
        return bytes;
    }

    /// <summary>Whether a table below a level overlaps a range of keys, borders included.</summary>
    public bool MayOverlapBelow(int level, ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest)
    {
        for (var deeper = level + 1; deeper < Levels.Length; deeper++)
        {
            if (OverlappingBytes(deeper, smallest, largest) > 0) return true;
        }

        return false;
    }

    // A get looks into one table of a level, and what lies in another beside it would not be found (I1).
    static void RequireDisjoint(List<Table> level)
    {
        for (var i = 1; i < level.Count; i++)
            Invariant.Require(level[i - 1].Info.LargestKey.AsSpan().SequenceCompareTo(level[i].Info.SmallestKey) < 0);
    }

    protected override void Free()
    {
        foreach (var table in All()) table.Release();
    }
}
