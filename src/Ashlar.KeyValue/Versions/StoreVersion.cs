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
    public StoreVersion(MemTable active, MemTable[] immutable, TableSet tables)
    {
        active.Acquire();
        foreach (var table in immutable) table.Acquire();
        tables.Acquire();
        Active = active;
        Immutable = immutable;
        Tables = tables;
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
        if (TryFindInMemory(key, sequence, out var written, out var kind, out var stored))
        {
            found = kind.HasPlace()
                ? new FoundValue(slot, kind, stored, ValuePlace.Read(kind, stored), written)
                : new FoundValue(slot, kind, stored, written);
            return Expiry.IsPresent(kind, stored, clock);
        }

        found = default;
        if (!Tables.TryFind(slot, key, sequence, out var block, out var position)) return false;
        kind = block.KindAt(position);
        var inline = block.InlineAt(position);
        written = block.SequenceAt(position);
        found = kind.HasPlace()
            ? new FoundValue(slot, kind, inline, block.PlaceAt(position), written)
            : new FoundValue(slot, kind, inline, written);
        return Expiry.IsPresent(kind, inline, clock);
    }

    /// <summary>One iterator over everything, all versions of all entries.</summary>
    public EntryIterator CreateIterator()
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

        return sources.Length == 1 ? sources[0] : new MergeIterator(sources);
    }

    /// <summary>
    /// Finds the newest write of a key at or below a sequence in memtables alone, for a leader: what is not published yet counts, too, if
    /// the sequence says so.
    /// </summary>
    public bool TryFindWrite(
        ReadOnlySpan<byte> key, ulong sequence, out ulong found, out EntryKind kind, out ReadOnlySpan<byte> stored) =>
        TryFindInMemory(key, sequence, out found, out kind, out stored);

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
