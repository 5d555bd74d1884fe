namespace Ashlar.KeyValue.SortedTable;

/// <summary>Finds out, while a table is written, when its entries expire: from all of them the ends, from some the rest.</summary>
sealed class ExpirySample
{
    const int SampleSize = 1024;

    readonly List<long> sample = [];
    ulong random = 0x9E3779B97F4A7C15;
    long count;
    long least = long.MaxValue;
    long greatest = long.MinValue;

    public void Add(long expiresAt)
    {
        count++;
        least = Math.Min(least, expiresAt);
        greatest = Math.Max(greatest, expiresAt);
        if (sample.Count < SampleSize)
        {
            sample.Add(expiresAt);
            return;
        }

        // Each of all so far is in the sample with the same chance (Vitter's algorithm R).
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        var at = random % (ulong)count;
        if (at < SampleSize) sample[(int)at] = expiresAt;
    }

    public TableExpiry ToExpiry()
    {
        var sorted = sample.ToArray();
        Array.Sort(sorted);
        return TableExpiry.Of(count, least, greatest, sorted);
    }
}
