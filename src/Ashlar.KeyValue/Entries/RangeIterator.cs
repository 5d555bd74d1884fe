namespace Ashlar.KeyValue.Entries;

/// <summary>
/// What lies behind one key and not behind another, walked forward from the first entry: a piece of a merge. No border is no
/// limit.
/// </summary>
sealed class RangeIterator(EntryIterator source, byte[]? after, byte[]? through) : EntryIterator
{
    public override bool IsValid => source.IsValid && (through is null || source.Key.SequenceCompareTo(through) <= 0);

    public override ReadOnlySpan<byte> Key => source.Key;

    public override ulong Sequence => source.Sequence;

    public override EntryKind Kind => source.Kind;

    public override ReadOnlySpan<byte> Value => source.Value;

    public override void SeekToFirst()
    {
        // No entry has sequence 0: this is the first one of the next key.
        if (after is null) source.SeekToFirst();
        else source.Seek(after, 0);
    }

    public override void Next() => source.Next();

    public override void SeekToLast() => throw new NotSupportedException();

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence) => throw new NotSupportedException();

    public override void Previous() => throw new NotSupportedException();
}
