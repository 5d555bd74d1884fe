using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;

namespace Ashlar.KeyValue.Versions;

/// <summary>
/// Everything that a reader needs, at one moment: the memtable that is being written, those that wait to become tables
/// (newest first), and the tables. Readers hold a reference while they read; memory and files live that long.
/// </summary>
sealed class StoreVersion : SharedResource
{
    /// <summary>With so many deleted ranges, in memtables and tables, no more are deleted until merges have come to some.</summary>
    public const int MaxRanges = 16 << 10;

    readonly RangeTombstones? ranges; // All but those of the memtable that is being written.

    public StoreVersion(MemTable active, MemTable[] immutable, TableSet tables)
    {
        active.Acquire();
        foreach (var table in immutable) table.Acquire();
        tables.Acquire();
        Active = active;
        Immutable = immutable;
        Tables = tables;
        ranges = RangeTombstones.Union(immutable.Select(table => table.Ranges).Append(tables.Ranges));
    }

    public MemTable Active { get; }

    public MemTable[] Immutable { get; }

    public TableSet Tables { get; }

    /// <summary>
    /// Finds what a key holds at a sequence, for a reader within the epoch: true if it is present. What was found stays readable
    /// until the reader leaves.
    /// </summary>
    public bool TryGet(int slot, ReadOnlySpan<byte> key, ulong sequence, TimeProvider clock, out FoundValue found)
    {
        found = default;
        var deleted = DeletedBy(key, sequence);
        if (TryFindInMemory(key, sequence, out var written, out var kind, out var stored))
        {
            if (written < deleted) return false;
            found = new FoundValue(slot, kind, stored, written);
            return found.IsPresent(clock);
        }

        if (!Tables.TryFind(slot, key, sequence, out var block, out var position)) return false;
        if (deleted > 0 && block.SequenceAt(position) < deleted) return false;
        found = new FoundValue(slot, block, position);
        return found.IsPresent(clock);
    }

    /// <summary>The ranges that are deleted, in memtables and tables, what is not published yet among them.</summary>
    public IEnumerable<RangeTombstone> DeletedRanges() =>
        new[] { ranges, Active.Ranges }.OfType<RangeTombstones>().SelectMany(set => set.All.ToArray());

    /// <summary>How many there are.</summary>
    public int RangeCount => (ranges?.Count ?? 0) + Active.RangeCount;

    /// <summary>The sequence of the newest of them; 0 if there are none.</summary>
    public ulong NewestRange => (Active.Ranges ?? ranges)?.NewestUpTo(ulong.MaxValue) ?? 0;

    /// <summary>
    /// One iterator over everything, all versions of all entries, but for those that a reader at a sequence sees deleted with their range.
    /// </summary>
    public EntryIterator CreateIterator(ulong sequence)
    {
        var deeper = 0;
        for (var level = 1; level < Tables.Levels.Length; level++) deeper += Tables.Levels[level].Length > 0 ? 1 : 0;
        var sources = new EntryIterator[1 + Immutable.Length + Tables.LevelZero.Length + deeper];
        var next = 0;
        sources[next++] = new MemTableIterator(Active);
        foreach (var table in Immutable) sources[next++] = new MemTableIterator(table);
        foreach (var table in Tables.LevelZero) sources[next++] = table.CreateIterator();
        for (var level = 1; level < Tables.Levels.Length; level++)
        {
            if (Tables.Levels[level].Length > 0) sources[next++] = new LevelIterator(Tables.Levels[level]);
        }

        // What is added to the memtable from here on is newer than the reader.
        if (ranges is not null || Active.RangeCount > 0)
        {
            RangeTombstones[] sets = [.. new[] { ranges, Active.Ranges }.OfType<RangeTombstones>()];
            for (var i = 0; i < sources.Length; i++) sources[i] = new UncoveredIterator(sources[i], sets, sequence);
        }

        return sources.Length == 1 ? sources[0] : new MergeIterator(sources);
    }

    /// <summary>
    /// Finds the newest write of a key at or below a sequence in memtables alone, for a leader: what is not published yet counts, too, if
    /// the sequence says so. The delete of a range that the key lies in is one.
    /// </summary>
    public bool TryFindWrite(
        ReadOnlySpan<byte> key, ulong sequence, out ulong found, out EntryKind kind, out ReadOnlySpan<byte> stored)
    {
        var isFound = TryFindInMemory(key, sequence, out found, out kind, out stored);
        var deleted = DeletedBy(key, sequence);
        if (deleted <= found) return isFound;
        found = deleted;
        kind = EntryKind.Delete;
        stored = default;
        return true;
    }

    // The newest range that a key lies in, deleted for a reader at a sequence: older entries of the key do not count. 0 if there is none.
    ulong DeletedBy(ReadOnlySpan<byte> key, ulong sequence)
    {
        if (ranges is null && Active.RangeCount == 0) return 0;
        return Math.Max(ranges?.NewestCovering(key, sequence) ?? 0, Active.Ranges?.NewestCovering(key, sequence) ?? 0);
    }

    bool TryFindInMemory(
        ReadOnlySpan<byte> key, ulong sequence, out ulong found, out EntryKind kind, out ReadOnlySpan<byte> stored)
    {
        if (Active.TryFind(key, sequence, out found, out kind, out stored)) return true;
        foreach (var table in Immutable)
        {
            if (table.TryFind(key, sequence, out found, out kind, out stored)) return true;
        }

        return false;
    }

    protected override void Free()
    {
        Active.Release();
        foreach (var table in Immutable) table.Release();
        Tables.Release();
    }
}
