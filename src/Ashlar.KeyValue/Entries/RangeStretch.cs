namespace Ashlar.KeyValue.Entries;

/// <summary>Keys that the same range tombstones cover: from a bound of some tombstone to the next.</summary>
/// <param name="start">The first key; null: from the beginning.</param>
/// <param name="end">The first key behind; null: to the end.</param>
/// <param name="sequences">Those of the tombstones that cover it, among the first <paramref name="count"/>, the newest first.</param>
/// <param name="count">How many there are.</param>
readonly struct RangeStretch(byte[]? start, byte[]? end, ulong[] sequences, int count)
{
    public byte[]? Start { get; } = start;

    public byte[]? End { get; } = end;

    public bool IsCovered => count > 0;

    public bool Holds(ReadOnlySpan<byte> key) =>
        (End is null || key.SequenceCompareTo(End) < 0) && (Start is null || key.SequenceCompareTo(Start) >= 0);

    /// <summary>The newest tombstone that a reader at a sequence sees; 0 if he sees none.</summary>
    public ulong NewestUpTo(ulong sequence)
    {
        var at = FirstUpTo(sequence);
        return at < count ? sequences[at] : 0;
    }

    /// <summary>The oldest tombstone that is newer than a sequence; the largest number there is if none is.</summary>
    public ulong OldestAfter(ulong sequence)
    {
        var at = FirstUpTo(sequence);
        return at > 0 ? sequences[at - 1] : ulong.MaxValue;
    }

    int FirstUpTo(ulong sequence)
    {
        var (low, high) = (0, count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (sequences[middle] > sequence) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
