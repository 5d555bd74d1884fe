using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

sealed partial class RaidSet
{
    // A run of stripes is locked as a whole, in the order of the locks. Fewer than there are locks, so that none is met twice.
    const int MaxRunStripes = 256;

    static readonly byte[] Zeros = GC.AllocateArray<byte>(64 * 1024, pinned: true);

    // Whole stripes become zeros on all members, whose parity is zero as well; parts of stripes are written.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ZeroRangesAsync(Lba start, long blockCount, ZeroOptions options)
    {
        var offset = start.ToOffsetBytes(Geometry.BlockSizeBytes);
        var end = offset + (blockCount * Geometry.BlockSizeBytes);
        while (offset < end)
        {
            var (stripe, inStripe) = Math.DivRem(offset, StripeBytes);
            var whole = (int)Math.Min(MaxRunStripes, (end - offset) / StripeBytes);
            if (inStripe == 0 && whole > 0)
            {
                var zeroed = await ZeroStripesAsync(stripe, whole, options).ConfigureAwait(false);
                offset += (long)zeroed * StripeBytes;
                if (zeroed > 0) continue;
            }

            var count = Math.Min(Math.Min(StripeBytes - inStripe, end - offset), Zeros.Length);
            if ((options & ZeroOptions.FastOnly) != ZeroOptions.None)
                throw new NotSupportedException($"{Name}: a part of a stripe is zeroed by writing zeros.");
            await WriteStripeAsync(stripe, inStripe, Zeros.AsMemory(0, (int)count)).ConfigureAwait(false);
            offset += count;
        }
    }

    // As many as may be written directly, from the first on.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<int> ZeroStripesAsync(long first, int count, ZeroOptions options)
    {
        Invariant.Require(count is > 0 and <= MaxRunStripes);
        var begun = 0;
        var entered = 0;
        var held = Enumerable.Range(0, count).Select(i => first + i).OrderBy(stripe => stripe % LockCount).Select(LockOf).ToList();
        try
        {
            if (Intent is not null)
                for (; begun < count; begun++) await Intent.BeginAsync(first + begun).ConfigureAwait(false);
            for (; entered < held.Count; entered++) await held[entered].EnterAsync().ConfigureAwait(false);
            if (cache is not null)
            {
                var direct = 0;
                while (direct < count && MayWriteDirectly(first + direct, StripeBytes)) direct++;
                count = direct;
            }

            if (count == 0) return 0;
            var calls = CallSet.Take();
            foreach (var member in members)
                if (member.IsPresent)
                    calls.Add(TakeAsync(member, member.ZeroAsync(OffsetOf(first), (long)count * chunkBytes, options)));
            await calls.WhenAllAsync().ConfigureAwait(false);
            return count;
        }
        finally
        {
            foreach (var turn in held.Take(entered)) turn.Exit();
            for (var i = 0; i < begun; i++) Intent!.End(first + i);
        }
    }
}
