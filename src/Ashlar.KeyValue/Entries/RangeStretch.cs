namespace Ashlar.KeyValue.Entries;

/// <summary>Keys that the same range tombstones cover: from a bound of some tombstone to the next.</summary>
/// <param name="start">The first key; null: from the beginning.</param>
/// <param name="end">The first key behind; null: to the end.</param>
/// <param name="tombstones">The set that covers it.</param>
/// <param name="number">Its number among those of the set; -1: it lies before the first.</param>
/// <param name="covering">Which of the set do (<see cref="SharedSets"/>).</param>
/// <param name="newest">The newest of those; 0 if there are none.</param>
readonly struct RangeStretch(byte[]? start, byte[]? end, RangeTombstones tombstones, int number, int covering, ulong newest)
{
    public byte[]? Start { get; } = start;

    public byte[]? End { get; } = end;

    public bool IsCovered => newest > 0;

    public bool Holds(ReadOnlySpan<byte> key) =>
        (End is null || key.SequenceCompareTo(End) < 0) && (Start is null || key.SequenceCompareTo(Start) >= 0);

    /// <summary>The newest tombstone that a reader at a sequence sees; 0 if he sees none.</summary>
    public ulong NewestUpTo(ulong sequence) => newest <= sequence ? newest : tombstones.NewestUpTo(covering, sequence);

    /// <summary>The oldest tombstone that is newer than a sequence; the largest number there is if none is.</summary>
    public ulong OldestAfter(ulong sequence) => newest <= sequence ? ulong.MaxValue : tombstones.OldestAfter(covering, sequence);

    /// <summary>
    /// How far what a reader at a sequence sees covered by a tombstone as new as one, or newer, goes on from here: the first key behind;
    /// null: to the end. So that many stretches are passed over as one, and each still for next to nothing, it is cut off after some.
    /// </summary>
    public byte[]? EndOfCovered(ulong newest, ulong sequence) => tombstones.EndOfCovered(number, newest, sequence);

    /// <summary>The same backward: the first key of it; null: from the beginning.</summary>
    public byte[]? StartOfCovered(ulong newest, ulong sequence) => tombstones.StartOfCovered(number, newest, sequence);
}
