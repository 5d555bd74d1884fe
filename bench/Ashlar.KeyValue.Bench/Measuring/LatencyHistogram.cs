using System.Diagnostics;
using System.Numerics;

namespace Ashlar.KeyValue.Bench;

/// <summary>Counts of latencies in buckets 3 % wide. One writer.</summary>
sealed class LatencyHistogram
{
    const int SubBits = 5, SubBuckets = 1 << SubBits;

    readonly long[] counts = new long[(64 - SubBits + 1) * SubBuckets];

    public long Count { get; private set; }

    public long MaxNanoseconds { get; private set; }

    public void Add(long startTimestamp, long endTimestamp)
    {
        var nanoseconds = (long)((endTimestamp - startTimestamp) * (1e9 / Stopwatch.Frequency));
        counts[BucketOf(nanoseconds)]++;
        Count++;
        if (nanoseconds > MaxNanoseconds) MaxNanoseconds = nanoseconds;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < counts.Length; i++) counts[i] += other.counts[i];
        Count += other.Count;
        MaxNanoseconds = Math.Max(MaxNanoseconds, other.MaxNanoseconds);
    }

    /// <summary>Microseconds that a share of the operations did not take longer than.</summary>
    public double Percentile(double share)
    {
        var wanted = (long)Math.Ceiling(share * Count);
        var seen = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            seen += counts[i];
            if (counts[i] > 0 && seen >= wanted) return Math.Min(UpperBound(i), MaxNanoseconds) / 1000.0;
        }

        return 0;
    }

    /// <summary>Lower and upper bound in microseconds, and the count, of each power of two that occurred.</summary>
    public IEnumerable<(double From, double To, long Count)> Octaves()
    {
        for (var octave = 0; octave < counts.Length / SubBuckets; octave++)
        {
            var count = 0L;
            for (var i = 0; i < SubBuckets; i++) count += counts[(octave * SubBuckets) + i];
            if (count == 0) continue;
            var from = octave == 0 ? 0 : UpperBound((octave * SubBuckets) - 1);
            yield return (from / 1000.0, UpperBound((octave * SubBuckets) + SubBuckets - 1) / 1000.0, count);
        }
    }

    static int BucketOf(long nanoseconds)
    {
        var value = (ulong)Math.Max(0, nanoseconds);
        if (value < SubBuckets) return (int)value;
        var shift = BitOperations.Log2(value) - SubBits;
        return ((shift + 1) << SubBits) + (int)((value >> shift) - SubBuckets);
    }

    static long UpperBound(int bucket)
    {
        if (bucket < SubBuckets) return bucket + 1;
        var shift = (bucket >> SubBits) - 1;
        return ((bucket & (SubBuckets - 1)) + SubBuckets + 1L) << shift;
    }
}
