namespace Ashlar.KeyValue.Transactions;

/// <summary>What a cursor of a transaction has seen since it began or was sought: from there to the last key that it was on.</summary>
/// <param name="range">Range of the scan.</param>
/// <param name="sought">Where it was sought to; null: it was not.</param>
/// <param name="isForward">Whether keys ascend.</param>
sealed class ScannedRange(KeyRange range, byte[]? sought, bool isForward)
{
    byte[] last = [];
    int lastLength;
    bool isAtEnd;

    /// <summary>Whether nothing was seen yet.</summary>
    public bool IsEmpty => !isAtEnd && lastLength == 0;

    /// <summary>The cursor is on a key.</summary>
    public void Reach(ReadOnlySpan<byte> key)
    {
        if (last.Length < key.Length) last = new byte[Math.Max(64, 2 * key.Length)];
        key.CopyTo(last);
        lastLength = key.Length;
    }

    /// <summary>There is nothing more.</summary>
    public void ReachEnd() => isAtEnd = true;

    public KeyRange ToRange()
    {
        var reached = last.AsSpan(0, lastLength);
        return isForward
            ? Between(Later(range.Start, sought), isAtEnd ? range.EndKey : Behind(reached))
            : Between(isAtEnd ? range.Start : reached, sought is null ? range.EndKey : Earlier(range.EndKey, Behind(sought)));
    }

    static KeyRange Between(ReadOnlySpan<byte> start, byte[]? end) =>
        end is null ? KeyRange.From(start) : KeyRange.Between(Earlier(end, start.ToArray()), end);

    static ReadOnlySpan<byte> Later(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => left.SequenceCompareTo(right) > 0 ? left : right;

    static byte[] Earlier(byte[]? left, byte[] right) => left is not null && left.AsSpan().SequenceCompareTo(right) < 0 ? left : right;

    static byte[] Behind(ReadOnlySpan<byte> key) => [.. key, 0];
}
