using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>Which units are taken. Its owner lets in one caller at a time.</summary>
sealed class UnitMap
{
    const int WordBits = 64;

    ulong[] taken = [];
    long rover;

    public UnitMap(long count) => Grow(count);

    public long Count { get; private set; }

    public long Free { get; private set; }

    public void Grow(long count)
    {
        Array.Resize(ref taken, checked((int)((count + WordBits - 1) / WordBits)));
        Free += count - Count;
        Count = count;
    }

    public bool IsTaken(long unit) => (taken[unit / WordBits] >> (int)(unit % WordBits) & 1) != 0;

    /// <summary>Takes units that nobody has.</summary>
    /// <returns>The first unit that somebody has already; null if there is none, and all are taken.</returns>
    public long? TryTake(UnitRun run)
    {
        for (var unit = run.Unit; unit < run.End; unit++)
            if (IsTaken(unit)) return unit;
        for (var unit = run.Unit; unit < run.End; unit++) taken[unit / WordBits] |= 1UL << (int)(unit % WordBits);
        Free -= run.Count;
        return null;
    }

    public void Release(UnitRun run)
    {
        for (var unit = run.Unit; unit < run.End; unit++)
        {
            Invariant.Require(IsTaken(unit));
            taken[unit / WordBits] &= ~(1UL << (int)(unit % WordBits));
        }

        Free += run.Count;
    }

    /// <summary>Takes a run: where it is hinted at if that is free, else the first that is long enough, else the longest.</summary>
    /// <returns>Null if nothing is free.</returns>
    public UnitRun? Allocate(long wanted, long hint)
    {
        if (Free == 0) return null;
        var run = hint >= 0 && hint < Count && !IsTaken(hint) ? new UnitRun(hint, CountFree(hint, wanted)) : Find(wanted);
        Invariant.Require(TryTake(run) is null);
        rover = run.End;
        return run;
    }

    /// <summary>Takes one run of exactly so many units.</summary>
    public UnitRun? AllocateWhole(long wanted)
    {
        var run = Find(wanted);
        if (run.Count < wanted) return null;
        Invariant.Require(TryTake(run) is null);
        return run;
    }

    UnitRun Find(long wanted)
    {
        var best = default(UnitRun);
        if (!Scan(rover, Count, wanted, ref best)) Scan(0, rover, wanted, ref best);
        return best;
    }

    // Whether it found one that is long enough.
    bool Scan(long start, long end, long wanted, ref UnitRun best)
    {
        for (var unit = start; unit < end;)
        {
            if (unit % WordBits == 0 && taken[unit / WordBits] == ulong.MaxValue)
            {
                unit += WordBits;
                continue;
            }

            var run = new UnitRun(unit, CountFree(unit, wanted));
            if (run.Count > best.Count) best = run;
            if (best.Count >= wanted) return true;
            unit = run.End + 1;
        }

        return false;
    }

    long CountFree(long start, long wanted)
    {
        var unit = start;
        var end = Math.Min(Count, start + Math.Min(wanted, Count));
        while (unit < end)
        {
            var rest = taken[unit / WordBits] >> (int)(unit % WordBits);
            if (rest != 0) return Math.Min(end, unit + BitOperations.TrailingZeroCount(rest)) - start;
            unit += WordBits - (unit % WordBits);
        }

        return end - start;
    }
}
