using System.Diagnostics;
using System.Numerics;

namespace Ashlar.Nvme.Bench;

/// <summary>How long requests took, in buckets that are 1/16 of a power of two wide.</summary>
sealed class Latencies
{
    const int PerPower = 16;

    readonly long[] counts = new long[64 * PerPower];

    public long Count { get; private set; }

    public void Add(long ticks)
    {
        var value = (ulong)Math.Max(ticks, PerPower);
        var power = BitOperations.Log2(value);
        counts[(power * PerPower) + (int)((value >> (power - 4)) & (PerPower - 1))]++;
        Count++;
    }

    public void Add(Latencies other)
    {
        for (var i = 0; i < counts.Length; i++) counts[i] += other.counts[i];
        Count += other.Count;
    }

    /// <summary>Microseconds that a share of the requests took at most.</summary>
    public double Microseconds(double share)
    {
        var left = (long)(Count * share);
        for (var i = 0; i < counts.Length; i++)
        {
            left -= counts[i];
            if (left >= 0) continue;
            var ticks = (1UL << (i / PerPower)) * (1 + ((i % PerPower) + 0.5) / PerPower);
            return ticks * 1e6 / Stopwatch.Frequency;
        }
        return 0;
    }
}
