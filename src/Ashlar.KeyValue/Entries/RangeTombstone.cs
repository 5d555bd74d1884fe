namespace Ashlar.KeyValue.Entries;

/// <summary>A range of keys that was deleted: whoever reads at its sequence or later sees nothing there that is older.</summary>
/// <param name="start">The first key.</param>
/// <param name="end">The first key behind the range; null: there is no end.</param>
/// <param name="sequence">When: entries with smaller sequences are deleted.</param>
sealed class RangeTombstone(byte[] start, byte[]? end, ulong sequence)
{
    /// <summary>Beside its keys, in memory.</summary>
    public const int OverheadBytes = 96;

    public byte[] Start { get; } = start;

    public byte[]? End { get; } = end;

    public ulong Sequence { get; } = sequence;

    public int SizeBytes => OverheadBytes + Start.Length + (End?.Length ?? 0);

    /// <summary>
    /// From what an entry of the log stores: the start as its key, the end in the place of a value; empty: there is no end.
    /// </summary>
    public static RangeTombstone Of(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored, ulong sequence) =>
        new(key.ToArray(), stored.IsEmpty ? null : stored.ToArray(), sequence);

    public bool Covers(ReadOnlySpan<byte> key) =>
        key.SequenceCompareTo(Start) >= 0 && (End is null || key.SequenceCompareTo(End) < 0);

    /// <summary>Whether the range meets keys from one to another, borders included.</summary>
    public bool Overlaps(ReadOnlySpan<byte> smallest, ReadOnlySpan<byte> largest) =>
        largest.SequenceCompareTo(Start) >= 0 && (End is null || smallest.SequenceCompareTo(End) < 0);

    /// <summary>Whether all keys of another range are in this one.</summary>
    public bool Contains(RangeTombstone other) =>
        KeyOrder.Instance.Compare(Start, other.Start) <= 0
        && (End is null || (other.End is not null && KeyOrder.Instance.Compare(other.End, End) <= 0));
}
