namespace Ashlar.KeyValue.SortedTable;

/// <summary>When entries of a table expire.</summary>
/// <param name="Count">How many entries expire; 0 also where the manifest is of before they were counted.</param>
/// <param name="Moments">
/// Ascending (<see cref="Entries.Expiry"/>): the least, the moments by which about an eighth of them have expired, two eighths, and so on,
/// and the greatest. Least and greatest are exact.
/// </param>
sealed record TableExpiry(long Count, long[] Moments)
{
    /// <summary>The moments that are kept for a table in which anything expires.</summary>
    public const int MomentCount = Parts + 1;

    const int Parts = 8;

    public static TableExpiry None { get; } = new(0, []);

    /// <summary>
    /// About how many have expired: exact where it is none or all, and never 0 once one has. Every entry that expires is counted, whatever
    /// newer ones say.
    /// </summary>
    public long ExpiredBy(long now)
    {
        if (Count == 0 || now < Moments[0]) return 0;
        if (now >= Moments[Parts]) return Count;
        var passed = Parts - 1;
        while (Moments[passed] > now) passed--;
        return Math.Max(1, Count / Parts * passed);
    }

    /// <summary>Moments that follow each other from first to last, at the given places of as many that are sorted.</summary>
    public static TableExpiry Of(long count, long least, long greatest, ReadOnlySpan<long> sortedSample)
    {
        if (count == 0) return None;
        var moments = new long[MomentCount];
        for (var part = 1; part < Parts; part++) moments[part] = sortedSample[(sortedSample.Length - 1) * part / Parts];
        (moments[0], moments[Parts]) = (least, greatest);
        return new TableExpiry(count, moments);
    }

    public bool Equals(TableExpiry? other) => other is not null && Count == other.Count && Moments.AsSpan().SequenceEqual(other.Moments);

    public override int GetHashCode() => HashCode.Combine(Count, Moments.Length == 0 ? 0 : Moments[Parts]);
}
