using System.Numerics;

namespace Ashlar.Blocks;

/// <summary>
/// Latencies in logarithmic buckets: eight per power of two, so that a percentile is at most 12.5 % too high. Recording
/// is one atomic addition.
/// </summary>
sealed class LatencyHistogram
{
    const int SubBucketBits = 3;
    const int SubBuckets = 1 << SubBucketBits;

    /// <summary>Powers of two from this one on begin a bucket.</summary>
    public const int LowestExponent = SubBucketBits;

    /// <summary>The last power of two with buckets of its own.</summary>
    public const int HighestExponent = 41; // 2^42 ns are 73 minutes: whatever takes longer is counted there.

    public const int BucketCount = (HighestExponent - SubBucketBits + 2) * SubBuckets;

    readonly long[] counts = new long[BucketCount];

    public void Record(long nanoseconds) => Interlocked.Increment(ref counts[BucketOf(nanoseconds)]);

    public LatencySummary Summarize()
    {
        var copy = new long[BucketCount];
        long total = 0;
        for (var i = 0; i < BucketCount; i++) total += copy[i] = Interlocked.Read(ref counts[i]);
        if (total == 0) return default;

        var sum = Sum(copy);
        return new LatencySummary(
            total,
            Duration((long)(sum / total)),
            Percentile(copy, total, 0.5),
            Percentile(copy, total, 0.9),
            Percentile(copy, total, 0.99),
            Percentile(copy, total, 0.999),
            Percentile(copy, total, 1));
    }

    /// <summary>Adds the counts of the buckets to others.</summary>
    public void AddTo(Span<long> others)
    {
        for (var i = 0; i < BucketCount; i++) others[i] += Interlocked.Read(ref counts[i]);
    }

    /// <summary>How long what was counted took in all, as if each had taken the middle of its bucket.</summary>
    public static double SumSeconds(ReadOnlySpan<long> counts) => Sum(counts) / 1e9;

    // 0..7 have a bucket each; from 8 on, the three bits below the highest one choose among the eight of its power of
    // two.
    public static int BucketOf(long nanoseconds)
    {
        if (nanoseconds < SubBuckets) return (int)Math.Max(nanoseconds, 0);
        var exponent = BitOperations.Log2((ulong)nanoseconds);
        if (exponent > HighestExponent) return BucketCount - 1;
        var subBucket = (int)(nanoseconds >> (exponent - SubBucketBits)) & (SubBuckets - 1);
        return (exponent - SubBucketBits + 1) * SubBuckets + subBucket;
    }

    public static long LowerBound(int bucket) => bucket < SubBuckets
        ? bucket
        : (long)(SubBuckets + bucket % SubBuckets) << (bucket / SubBuckets - 1);

    public static long UpperBound(int bucket) => LowerBound(bucket + 1) - 1;

    static double Sum(ReadOnlySpan<long> counts)
    {
        var sum = 0.0;
        for (var i = 0; i < BucketCount; i++) sum += counts[i] * ((LowerBound(i) + UpperBound(i)) / 2.0);
        return sum;
    }

    static TimeSpan Percentile(long[] counts, long total, double share)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(share * total));
        var bucket = 0;
        for (long seen = counts[0]; seen < rank; seen += counts[bucket]) bucket++;
        return Duration(UpperBound(bucket));
    }

    // A tick is 100 ns; rounding up keeps a percentile from ever being too low.
    static TimeSpan Duration(long nanoseconds) => TimeSpan.FromTicks((nanoseconds + 99) / 100);
}

/// <summary>
/// Latencies of one kind of request. Each figure is at most 12.5 % (and 100 ns) too high, never too low.
/// </summary>
/// <param name="Count">Requests that succeeded.</param>
/// <param name="Mean">Their mean, to within 12.5 %.</param>
/// <param name="P50">Half of them took no longer.</param>
/// <param name="P90">Nine in ten took no longer.</param>
/// <param name="P99">All but one in a hundred took no longer.</param>
/// <param name="P999">All but one in a thousand took no longer.</param>
/// <param name="Max">None took longer.</param>
public readonly record struct LatencySummary(
    long Count,
    TimeSpan Mean,
    TimeSpan P50,
    TimeSpan P90,
    TimeSpan P99,
    TimeSpan P999,
    TimeSpan Max);
