using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.MemTables;

/// <summary>Walks a memtable; its owner holds a reference to it.</summary>
sealed unsafe class MemTableIterator(MemTable table) : EntryIterator
{
    byte* node;

    public override bool IsValid => node != null;

    public override ReadOnlySpan<byte> Key => SkipList.KeyOf(node);

    public override ulong Sequence => SkipList.SequenceOf(node);

    public override EntryKind Kind => SkipList.KindOf(node);

    public override ReadOnlySpan<byte> Value => SkipList.ValueOf(node);

    // Tombstones that are newer lie in a later memtable, so nothing is written to this one any more.
    public override ulong NewestOfRun => table.LastSequence;

    public override void NextRun() => node = null;

    public override void PreviousRun() => node = null;

    public override void SeekToFirst() => node = table.Entries.First;

    public override void SeekToLast() => node = table.Entries.FindLast();

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence) => node = table.Entries.FindAtLeast(key, sequence);

    public override void SeekBefore(ReadOnlySpan<byte> key) => node = table.Entries.FindBefore(key, ulong.MaxValue);

    public override void Next() => node = SkipList.NextOf(node);

    public override void Previous() => node = table.Entries.FindBefore(Key, Sequence);
}
