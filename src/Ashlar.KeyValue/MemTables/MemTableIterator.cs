using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.MemTables;

/// <summary>Walks a memtable; its owner holds a reference to it.</summary>
sealed unsafe class MemTableIterator(MemTable table) : EntryIterator
{
    byte* node;
    long passingMoves;

    public override bool IsValid => node != null;

    public override ReadOnlySpan<byte> Key => SkipList.KeyOf(node);

    public override ulong Sequence => SkipList.SequenceOf(node);

    public override EntryKind Kind => SkipList.KindOf(node);

    public override ReadOnlySpan<byte> Value => SkipList.ValueOf(node);

    /// <summary>Entries that it went to in order to pass over others, and those that it passed over one by one.</summary>
    public long PassingMoves => passingMoves;

    public override void SeekToFirst() => node = table.Entries.First;

    public override void SeekToLast() => node = table.Entries.FindLast();

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence) => node = table.Entries.FindAtLeast(key, sequence);

    public override void SeekBefore(ReadOnlySpan<byte> key) => node = table.Entries.FindBefore(key, ulong.MaxValue);

    public override void Next() => node = SkipList.NextOf(node);

    public override void Previous() => node = table.Entries.FindBefore(Key, Sequence);

    // An entry is older only than tombstones of its own memtable, and then newer ones may lie anywhere between, or of a later one, and then
    // all are. What was inserted before the first tombstone of this one is older than both.
    public override void PassOlder(ulong sequence, byte[]? end) =>
        node = table.Entries.FindNotOlder(node, sequence, end, ref passingMoves);

    public override void PassOlderBackward(ulong sequence, byte[]? start)
    {
        var newer = table.Entries.FindLastNotOlder(node, sequence, start, ref passingMoves);
        if (newer != null) node = newer;
        else if (start is null) node = null;
        else SeekBefore(start);
    }
}
