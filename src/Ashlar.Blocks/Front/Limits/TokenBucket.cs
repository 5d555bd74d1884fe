using System.Runtime.InteropServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// What may be taken at a steady rate, saved up for one second at most. Who wants more than a second's worth waits until the bucket is
/// full, and leaves it with a debt, so that in the long run the rate holds for requests of any size.
/// </summary>
/// <remarks>A mutable struct: keep it in a field that is not readonly.</remarks>
[StructLayout(LayoutKind.Auto)]
struct TokenBucket
{
    readonly double ticksPerUnit; // 0 where there is no limit.
    readonly double capacityTicks;
    double fullAt; // When it is, or was, full again if nobody takes anything: one number for level and debt.

    /// <summary>A full bucket.</summary>
    /// <param name="perSecond">The rate; null for no limit.</param>
    /// <param name="ticksPerSecond">Of the clock that tells the time.</param>
    public TokenBucket(long? perSecond, long ticksPerSecond)
    {
        capacityTicks = ticksPerSecond;
        ticksPerUnit = perSecond is { } rate ? (double)ticksPerSecond / rate : 0;
        fullAt = double.MinValue;
    }

    /// <summary>Ticks until so much may be taken; 0 for at once.</summary>
    public readonly double TicksUntil(long amount, long now)
    {
        var price = amount * ticksPerUnit;
        return price == 0 ? 0 : Math.Max(0, fullAt + Math.Min(price, capacityTicks) - capacityTicks - now);
    }

    public void Take(long amount, long now)
    {
        Invariant.Require(amount >= 0); // A debt that is given back would lift the limit.
        fullAt = Math.Max(fullAt, now) + (amount * ticksPerUnit);
    }
}
