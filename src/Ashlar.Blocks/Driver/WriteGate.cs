using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// Keeps a read-modify-write apart from every other write of the same block. Whole-block writes share a stripe and pass
/// by one compare-and-swap; a read-modify-write has its stripe for itself.
/// </summary>
/// <remarks>
/// <para>Why whole-block writes take part: a read-modify-write that read a block before such a write and wrote it back
/// after it would undo a completed write in bytes that it was never asked to touch.</para>
/// <para>No deadlock: stripes are entered in ascending order, and whoever waits holds only lower ones.</para>
/// </remarks>
sealed class WriteGate
{
    const int StripeCount = 64; // One bit each in a mask.
    const int RegionShift = 16; // 64 KiB of neighbouring bytes share a stripe, so most requests enter one.

    readonly Stripe[] stripes = new Stripe[StripeCount];

    public WriteGate()
    {
        for (var i = 0; i < StripeCount; i++) stripes[i] = new Stripe();
    }

    /// <summary>The stripes of a byte range that is not empty.</summary>
    public static ulong StripesOf(long offsetBytes, long lengthBytes)
    {
        var first = offsetBytes >> RegionShift;
        var count = ((offsetBytes + lengthBytes - 1) >> RegionShift) - first + 1;
        return count >= StripeCount
            ? ulong.MaxValue
            : BitOperations.RotateLeft((1UL << (int)count) - 1, (int)(first & (StripeCount - 1)));
    }

    /// <summary>Enters all stripes as a whole-block write, unless that needs waiting; then none is entered.</summary>
    public bool TryEnterShared(ulong mask)
    {
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            if (stripes[BitOperations.TrailingZeroCount(rest)].TryEnterShared()) continue;
            ExitShared(mask & (LowestBit(rest) - 1));
            return false;
        }
        return true;
    }

    public void ExitShared(ulong mask)
    {
        for (; mask != 0; mask &= mask - 1) stripes[BitOperations.TrailingZeroCount(mask)].ExitShared();
    }

    /// <summary>Enters the stripes of one request: some alone, the others shared.</summary>
    public async ValueTask EnterAsync(ulong exclusive, ulong shared, CancellationToken cancellationToken)
    {
        Invariant.Require((exclusive & shared) == 0);
        var all = exclusive | shared;
        var rest = all;
        try
        {
            for (; rest != 0; rest &= rest - 1)
            {
                var index = BitOperations.TrailingZeroCount(rest);
                if ((LowestBit(rest) & exclusive) == 0)
                {
                    if (stripes[index].TryEnterShared()) continue;
                    await stripes[index].Turn.WaitAsync(cancellationToken);
                    var entered = stripes[index].TryEnterShared();
                    Invariant.Require(entered); // Only the holder of the turn excludes others.
                    stripes[index].Turn.Release();
                }
                else
                {
                    await stripes[index].Turn.WaitAsync(cancellationToken);
                    // Not cancellable: the writes in flight end soon, and the one that ends last gives exactly one
                    // signal.
                    if (!stripes[index].ExcludeOthers()) await stripes[index].Drained.WaitAsync(CancellationToken.None);
                }
            }
        }
        catch (OperationCanceledException)
        {
            var entered = all & (LowestBit(rest) - 1);
            Exit(exclusive & entered, shared & entered);
            throw;
        }
    }

    public void Exit(ulong exclusive, ulong shared)
    {
        ExitShared(shared);
        for (; exclusive != 0; exclusive &= exclusive - 1)
        {
            var stripe = stripes[BitOperations.TrailingZeroCount(exclusive)];
            stripe.AdmitOthers();
            stripe.Turn.Release();
        }
    }

    static ulong LowestBit(ulong mask) => mask & (~mask + 1);

    // State: the number of shared holders, plus Exclusive while somebody holds the stripe alone or waits for the
    // sharers to leave. Nobody enters as a sharer while Exclusive is set, so the count then only falls, and reaches 0
    // once.
    sealed class Stripe
    {
        const long Exclusive = 1L << 32;

        long state;

        /// <summary>
        /// Held by whoever is, or wants to be, alone in the stripe, and for a moment by a sharer that had to wait.
        /// </summary>
        public SemaphoreSlim Turn { get; } = new(1, 1);

        /// <summary>One signal for each exclusion that found sharers within.</summary>
        public SemaphoreSlim Drained { get; } = new(0, 1);

        public bool TryEnterShared()
        {
            var seen = Volatile.Read(ref state);
            while (seen < Exclusive)
            {
                var before = Interlocked.CompareExchange(ref state, seen + 1, seen);
                if (before == seen) return true;
                seen = before;
            }
            return false;
        }

        public void ExitShared()
        {
            if (Interlocked.Decrement(ref state) == Exclusive) Drained.Release();
        }

        /// <summary>False while sharers are still within: the last of them will signal <see cref="Drained"/>.</summary>
        public bool ExcludeOthers() => Interlocked.Add(ref state, Exclusive) == Exclusive;

        public void AdmitOthers() => Interlocked.Add(ref state, -Exclusive);
    }
}
