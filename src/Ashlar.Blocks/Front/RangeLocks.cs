using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// Who changes which bytes of a device. Whoever writes, zeroes or trims holds the range meanwhile, and so does whoever reads
/// in order to write: of two changes that overlap, the second reaches the device when the first has completed, in the order
/// in which they came. Changes that do not overlap never wait for one another.
/// </summary>
/// <remarks>
/// <para>One mode is enough. Overlapping writes have to be told apart anyway, or replicas beneath could end up with
/// different winners; and then a read-modify-write needs nothing more.</para>
/// <para>Regions of 1 MiB share 64 shards, each with a latch of its own that is held for a few dozen instructions. A small
/// request enters one shard, a huge one all of them, and the shards compare exact ranges.</para>
/// <para>No deadlock: shards are entered in ascending order, and within a shard nobody waits for one who came later. So
/// whoever waits in a shard waits, directly or not, only for requests that hold it or wait in it or in a higher one.</para>
/// </remarks>
sealed class RangeLocks
{
    const int ShardCount = 64; // One bit each in a mask.
    const int RegionShift = 20;

    readonly RangeShard[] shards = new RangeShard[ShardCount];

    public RangeLocks()
    {
        for (var i = 0; i < ShardCount; i++) shards[i] = new RangeShard();
    }

    /// <summary>Takes a range that is not empty; completes synchronously, and allocates nothing, where nobody is in the way.</summary>
    /// <exception cref="OperationCanceledException">Given up while it waited; nothing is held.</exception>
    public ValueTask EnterAsync(ByteRange range, CancellationToken cancellationToken)
    {
        var mask = ShardsOf(range);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            if (!shards[BitOperations.TrailingZeroCount(rest)].TryEnter(range))
                return WaitAsync(range, mask, rest, cancellationToken);
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>Gives back exactly what was taken.</summary>
    public void Exit(ByteRange range) => Exit(range, ShardsOf(range));

    /// <summary>The shards of a range that is not empty.</summary>
    public static ulong ShardsOf(ByteRange range)
    {
        var first = range.Start >> RegionShift;
        var count = ((range.End - 1) >> RegionShift) - first + 1;
        return count >= ShardCount
            ? ulong.MaxValue
            : BitOperations.RotateLeft((1UL << (int)count) - 1, (int)(first & (ShardCount - 1)));
    }

    void Exit(ByteRange range, ulong mask)
    {
        for (; mask != 0; mask &= mask - 1) shards[BitOperations.TrailingZeroCount(mask)].Exit(range);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WaitAsync(ByteRange range, ulong mask, ulong rest, CancellationToken cancellationToken)
    {
        try
        {
            for (; rest != 0; rest &= rest - 1)
                await shards[BitOperations.TrailingZeroCount(rest)].EnterAsync(range, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            var lowest = rest & (~rest + 1);
            Exit(range, mask & (lowest - 1));
            throw;
        }
    }
}
