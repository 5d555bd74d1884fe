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
        var stripeBytes = (long)chunkBytes * layout.DataPerStripe;
        var offset = start.ToOffsetBytes(Geometry.BlockSizeBytes);
        var end = offset + (blockCount * Geometry.BlockSizeBytes);
        while (offset < end)
        {
            var (stripe, inStripe) = Math.DivRem(offset, stripeBytes);
            var whole = Math.Min(MaxRunStripes, (end - offset) / stripeBytes);
            if (inStripe == 0 && whole > 0)
            {
                await ZeroStripesAsync(stripe, (int)whole, options).ConfigureAwait(false);
                offset += whole * stripeBytes;
                continue;
            }

            var count = Math.Min(Math.Min(stripeBytes - inStripe, end - offset), Zeros.Length);
            if ((options & ZeroOptions.FastOnly) != ZeroOptions.None)
                throw new NotSupportedException($"{Name}: a part of a stripe is zeroed by writing zeros.");
            await WriteStripeAsync(stripe, inStripe, Zeros.AsMemory(0, (int)count)).ConfigureAwait(false);
            offset += count;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ZeroStripesAsync(long first, int count, ZeroOptions options)
    {
        Invariant.Require(count is > 0 and <= MaxRunStripes);
        var held = Enumerable.Range(0, count).Select(i => first + i).OrderBy(stripe => stripe % LockCount).Select(LockOf).ToList();
        var entered = 0;
        try
        {
            for (; entered < held.Count; entered++) await held[entered].EnterAsync().ConfigureAwait(false);
            await OnMembersAsync(
                members.Where(member => member.IsUsable),
                member => member.ZeroAsync(OffsetOf(first), (long)count * chunkBytes, options)).ConfigureAwait(false);
        }
        finally
        {
            foreach (var turn in held.Take(entered)) turn.Exit();
        }
    }
}
