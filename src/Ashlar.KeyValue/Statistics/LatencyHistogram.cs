using System.Numerics;

namespace Ashlar.KeyValue.Statistics;

/// <summary>
/// How long something took, in buckets that are a quarter as wide as where they begin: 1 us to an hour. One thread adds, others
/// read what is nearly the newest.
/// </summary>
sealed class LatencyHistogram
{
    readonly long[] buckets = new long[128];
    long count;
    long sumMicroseconds;

    public long Count => Volatile.Read(ref count);

    public TimeSpan Mean => Count == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds((double)Volatile.Read(ref sumMicroseconds) / Count);

    public void Add(TimeSpan time)
    {
        var microseconds = Math.Max(1, (long)time.TotalMicroseconds);
        buckets[BucketOf(microseconds)]++;
        Volatile.Write(ref sumMicroseconds, sumMicroseconds + microseconds);
        Volatile.Write(ref count, count + 1);
    }

    /// <summary>The time that a share of all did not exceed, to a quarter of it; zero while there is none.</summary>
    public TimeSpan Quantile(double share)
    {
        var total = 0L;
        foreach (var bucket in buckets) total += Volatile.Read(in bucket);
        var left = (long)Math.Ceiling(total * share);
        for (var at = 0; left > 0 && at < buckets.Length; at++)
        {
            left -= Volatile.Read(in buckets[at]);
            if (left <= 0) return TimeSpan.FromMicroseconds(EndOf(at));
        }

        return TimeSpan.Zero;
    }

    // The highest bit, and the two below it.
    static int BucketOf(long microseconds)
    {
        var log = BitOperations.Log2((ulong)microseconds);
        var quarter = log < 2 ? (microseconds << (2 - log)) & 3 : (microseconds >> (log - 2)) & 3;
        return Math.Min(127, (log * 4) + (int)quarter);
    }

    static double EndOf(int bucket) => Math.Pow(2, bucket / 4) * (1 + (((bucket % 4) + 1) / 4.0));
}
