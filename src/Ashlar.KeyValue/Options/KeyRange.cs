namespace Ashlar.KeyValue;

/// <summary>Keys from <see cref="Start"/> inclusive to <see cref="End"/> exclusive, in byte order.</summary>
public readonly struct KeyRange
{
    readonly byte[]? start;
    readonly byte[]? end;

    KeyRange(byte[]? start, byte[]? end)
    {
        this.start = start;
        this.end = end;
    }

    /// <summary>Every key.</summary>
    public static KeyRange All => default;

    /// <summary>First key; empty for the beginning, since no key is.</summary>
    public ReadOnlySpan<byte> Start => start;

    /// <summary>First key beyond the range; empty also where <see cref="HasEnd"/> is false.</summary>
    public ReadOnlySpan<byte> End => end;

    /// <summary>Whether the range ends before the last key there can be.</summary>
    public bool HasEnd => end is not null;

    internal byte[]? StartKey => start;

    internal byte[]? EndKey => end;

    /// <summary>Keys from <paramref name="start"/> inclusive to <paramref name="end"/> exclusive.</summary>
    /// <exception cref="ArgumentException">The start is beyond the end.</exception>
    public static KeyRange Between(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end) => start.SequenceCompareTo(end) > 0
        ? throw new ArgumentException("The start of the range is beyond its end.", nameof(start))
        : new(start.ToArray(), end.ToArray());

    /// <summary>Keys from <paramref name="start"/> on.</summary>
    public static KeyRange From(ReadOnlySpan<byte> start) => new(start.ToArray(), null);

    /// <summary>Keys before <paramref name="end"/>.</summary>
    public static KeyRange Before(ReadOnlySpan<byte> end) => new(null, end.ToArray());

    /// <summary>What of the range lies before a key.</summary>
    internal KeyRange Until(ReadOnlySpan<byte> key)
    {
        if (end is not null && end.AsSpan().SequenceCompareTo(key) <= 0) return this;
        return new(start.AsSpan().SequenceCompareTo(key) > 0 ? key.ToArray() : start, key.ToArray());
    }

    /// <summary>Whether there may be a key that lies in both ranges.</summary>
    internal bool Overlaps(ReadOnlySpan<byte> otherStart, ReadOnlySpan<byte> otherEnd, bool hasOtherEnd) =>
        (end is null || otherStart.SequenceCompareTo(end) < 0) && (!hasOtherEnd || otherEnd.SequenceCompareTo(start) > 0);

    /// <summary>Keys that begin with <paramref name="prefix"/>. A prefix of nothing but 0xFF has no upper bound.</summary>
    public static KeyRange Prefix(ReadOnlySpan<byte> prefix)
    {
        var end = prefix.ToArray();
        var length = end.Length;
        while (length > 0 && end[length - 1] == 0xFF) length--;
        if (length == 0) return new(prefix.ToArray(), null);
        end[length - 1]++;
        return new(prefix.ToArray(), end[..length]);
    }

    /// <summary>Whether a key lies in the range.</summary>
    public bool Contains(ReadOnlySpan<byte> key) =>
        key.SequenceCompareTo(start) >= 0 && (end is null || key.SequenceCompareTo(end) < 0);
}
