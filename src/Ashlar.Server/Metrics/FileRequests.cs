using System.Collections.Concurrent;
using System.Numerics;

namespace Ashlar.Server;

/// <summary>Requests to the file store since the server began to serve, by protocol and operation. Any thread.</summary>
sealed class FileRequests
{
    /// <summary>Powers of two nanoseconds: from 131 microseconds to 137 seconds, four times as long each.</summary>
    public const int FirstExponent = 17, LastExponent = 37, Step = 2;

    const int Buckets = (LastExponent - FirstExponent) / Step + 1;
    const long NanosecondsPerTick = 100;

    readonly ConcurrentDictionary<(string Protocol, string Operation), Totals> all = new();

    /// <summary>All that there were, in a fixed order.</summary>
    public IEnumerable<((string Protocol, string Operation) Key, Totals Totals)> All =>
        all.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value));

    /// <summary>A request was answered.</summary>
    /// <param name="protocol">"api" or "s3".</param>
    /// <param name="operation">"read", "write", "delete", "list" or "other".</param>
    /// <param name="took">How long it took.</param>
    /// <param name="hasFailed">Whether it failed or was refused.</param>
    public void Add(string protocol, string operation, TimeSpan took, bool hasFailed) =>
        all.GetOrAdd((protocol, operation), static _ => new()).Add(took, hasFailed);

    /// <summary>Requests of one kind.</summary>
    public sealed class Totals
    {
        readonly long[] faster = new long[Buckets]; // Each counts those of its bucket alone.
        long count, failed, ticks;

        /// <summary>Those that failed or were refused.</summary>
        public long Failed => Interlocked.Read(ref failed);

        /// <summary>Those that succeeded.</summary>
        public long Count => Interlocked.Read(ref count);

        /// <summary>How long these took together.</summary>
        public double Seconds => Interlocked.Read(ref ticks) / (double)TimeSpan.TicksPerSecond;

        /// <summary>How many took less than a power of two nanoseconds, for each bound of the histogram.</summary>
        public IEnumerable<(int Exponent, long Count)> Faster
        {
            get
            {
                var sum = 0L;
                for (var i = 0; i < Buckets; i++)
                {
                    sum += Interlocked.Read(ref faster[i]);
                    yield return (FirstExponent + i * Step, sum);
                }
            }
        }

        public void Add(TimeSpan took, bool hasFailed)
        {
            if (hasFailed)
            {
                Interlocked.Increment(ref failed);
                return;
            }

            // First where it belongs: whoever reads meanwhile finds no bucket above the count.
            Interlocked.Increment(ref count);
            Interlocked.Add(ref ticks, Math.Max(0, took.Ticks));
            var exponent = BitOperations.Log2((ulong)Math.Max(1, took.Ticks) * NanosecondsPerTick) + 1;
            var bucket = Math.Max(0, (exponent - FirstExponent + Step - 1) / Step);
            if (bucket < Buckets) Interlocked.Increment(ref faster[bucket]);
        }
    }
}
