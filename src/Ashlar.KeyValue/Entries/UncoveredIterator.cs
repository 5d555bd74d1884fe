namespace Ashlar.KeyValue.Entries;

/// <summary>
/// Walks one source without the entries that range tombstones have deleted for a reader. Where all of a run of the source is older than
/// the tombstone, it goes to the other end of what is covered by one search; else entry by entry, because newer ones lie between.
/// </summary>
/// <param name="source">What is walked.</param>
/// <param name="sets">Where the tombstones are.</param>
/// <param name="sequence">The reader's: newer tombstones do not count.</param>
sealed class UncoveredIterator(EntryIterator source, RangeTombstones[] sets, ulong sequence) : EntryIterator
{
    // What was found last: the next entry mostly lies there, too.
    readonly RangeStretch[] stretches = [.. sets.Select(set => set.StretchOf([]))];

    public override bool IsValid => source.IsValid;

    public override ReadOnlySpan<byte> Key => source.Key;

    public override ulong Sequence => source.Sequence;

    public override EntryKind Kind => source.Kind;

    public override ReadOnlySpan<byte> Value => source.Value;

    public override void SeekToFirst()
    {
        source.SeekToFirst();
        PassForward();
    }

    public override void SeekToLast()
    {
        source.SeekToLast();
        PassBackward();
    }

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence)
    {
        source.Seek(key, sequence);
        PassForward();
    }

    public override void SeekBefore(ReadOnlySpan<byte> key)
    {
        source.SeekBefore(key);
        PassBackward();
    }

    public override void Next()
    {
        source.Next();
        PassForward();
    }

    public override void Previous()
    {
        source.Previous();
        PassBackward();
    }

    public override void Close() => source.Close();

    void PassForward()
    {
        while (source.IsValid && IsCovered(out var stretch))
        {
            if (source.NewestOfRun >= stretch.NewestUpTo(sequence)) source.Next();
            else if (source.IsRunBefore(stretch.End)) source.NextRun();
            else source.Seek(stretch.End, ulong.MaxValue);
        }
    }

    void PassBackward()
    {
        while (source.IsValid && IsCovered(out var stretch))
        {
            if (source.NewestOfRun >= stretch.NewestUpTo(sequence)) source.Previous();
            else if (source.IsRunFrom(stretch.Start)) source.PreviousRun();
            else source.SeekBefore(stretch.Start);
        }
    }

    bool IsCovered(out RangeStretch stretch)
    {
        var key = source.Key;
        var own = source.Sequence;
        for (var i = 0; i < sets.Length; i++)
        {
            if (!stretches[i].Holds(key)) stretches[i] = sets[i].StretchOf(key);
            stretch = stretches[i];
            if (own < stretch.NewestUpTo(sequence)) return true;
        }

        stretch = default;
        return false;
    }
}
