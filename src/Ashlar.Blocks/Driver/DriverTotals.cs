using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// What several drivers have done together. Counts only grow when drivers and totals are added, so sums of them are counters, too.
/// Not for several threads at a time.
/// </summary>
public sealed class DriverTotals
{
    readonly Operation[] operations = [new(), new(), new(), new(), new()];

    /// <summary>Requests that succeeded.</summary>
    public long Count(DriverOperation operation) => Sum(operations[(int)operation].Latencies);

    /// <summary>Bytes that requests which succeeded asked for; 0 for flushes.</summary>
    public long Bytes(DriverOperation operation) => operations[(int)operation].Bytes;

    /// <summary>Requests that failed.</summary>
    public long Failures(DriverOperation operation) => operations[(int)operation].Failures;

    /// <summary>How long requests that succeeded took in all, to within 12.5 %.</summary>
    public double Seconds(DriverOperation operation) => LatencyHistogram.SumSeconds(operations[(int)operation].Latencies);

    /// <summary>Requests that succeeded in less than two to so many nanoseconds, exactly.</summary>
    /// <param name="operation">The kind of request.</param>
    /// <param name="exponent">From 3 to 41: 8 ns to 37 minutes.</param>
    public long CountFasterThan(DriverOperation operation, int exponent)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(exponent, LatencyHistogram.LowestExponent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(exponent, LatencyHistogram.HighestExponent);
        return Sum(operations[(int)operation].Latencies.AsSpan(0, LatencyHistogram.BucketOf(1L << exponent)));
    }

    /// <summary>Adds what others have done.</summary>
    public void Add(DriverTotals others)
    {
        for (var i = 0; i < operations.Length; i++)
        {
            var other = others.operations[i];
            Add((DriverOperation)i, other.Bytes, other.Failures);
            for (var bucket = 0; bucket < LatencyHistogram.BucketCount; bucket++)
                operations[i].Latencies[bucket] += other.Latencies[bucket];
        }
    }

    internal void Add(DriverOperation operation, long bytes, long failures, LatencyHistogram? latencies = null)
    {
        Invariant.Require(operations.Length == (int)DriverOperation.Flush + 1);
        operations[(int)operation].Bytes += bytes;
        operations[(int)operation].Failures += failures;
        latencies?.AddTo(operations[(int)operation].Latencies);
    }

    static long Sum(ReadOnlySpan<long> counts)
    {
        long sum = 0;
        foreach (var count in counts) sum += count;
        return sum;
    }

    sealed class Operation
    {
        public readonly long[] Latencies = new long[LatencyHistogram.BucketCount];
        public long Bytes;
        public long Failures;
    }
}
