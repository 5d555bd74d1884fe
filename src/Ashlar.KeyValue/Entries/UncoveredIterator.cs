namespace Ashlar.KeyValue.Entries;

/// <summary>
/// Walks one source without the entries that range tombstones have deleted for a reader. It goes to the other end of what is covered, or
/// to what is newer than the tombstone, as the source can: tables know the newest of their entries, memtables know it of pieces of them.
/// </summary>
/// <param name="source">What is walked.</param>
/// <param name="sets">Where the tombstones are.</param>
/// <param name="sequence">The reader's: newer tombstones do not count.</param>
sealed class UncoveredIterator(EntryIterator source, RangeTombstones[] sets, ulong sequence) : EntryIterator
{
    // What was found last: the next entry mostly lies there, too.
    readonly RangeStretch[] stretches = [.. sets.Select(set => set.StretchOf([]))];

    /// <summary>How often it went past what is covered.</summary>
    public long Passes { get; private set; }

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
        for (; source.IsValid && IsCovered(out var stretch); Passes++)
        {
            var newest = stretch.NewestUpTo(sequence);
            source.PassOlder(newest, stretch.EndOfCovered(newest, sequence));
        }
    }

    void PassBackward()
    {
        for (; source.IsValid && IsCovered(out var stretch); Passes++)
        {
            var newest = stretch.NewestUpTo(sequence);
            source.PassOlderBackward(newest, stretch.StartOfCovered(newest, sequence));
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
