using System.Runtime.InteropServices;

namespace Ashlar.KeyValue.Statistics;

/// <summary>A counter that many threads add to without sharing a cache line: each has a stripe, as a rule its own.</summary>
sealed class StripedCounter
{
    const int Stripes = 16; // A power of two.
    readonly Stripe[] stripes = new Stripe[Stripes];

    public long Value
    {
        get
        {
            var sum = 0L;
            foreach (ref readonly var stripe in stripes.AsSpan()) sum += Volatile.Read(in stripe.Count);
            return sum;
        }
    }

    public void Increment() => Interlocked.Increment(ref stripes[Environment.CurrentManagedThreadId & (Stripes - 1)].Count);

    public void Add(long count) => Interlocked.Add(ref stripes[Environment.CurrentManagedThreadId & (Stripes - 1)].Count, count);

    [StructLayout(LayoutKind.Explicit, Size = 128)] // Two lines: processors fetch them in pairs.
    struct Stripe
    {
        [FieldOffset(64)]
        public long Count;
    }
}
