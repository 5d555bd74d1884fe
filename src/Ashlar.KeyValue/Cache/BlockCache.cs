using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ashlar.KeyValue.Blocks;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Cache;

/// <summary>
/// Blocks of tables, and values of segments as blocks of one value each, in native memory, within a budget that holds always: headers, its
/// own table and what waits for readers to leave are counted too, but not what lies free between blocks (<see cref="TakenBytes"/>). A block
/// that finds no room belongs to its reader alone and goes with it.
/// </summary>
/// <remarks>
/// <para>Finding takes no lock: chains of a hash table, read within a <see cref="ReadEpoch"/>. A block that is unlinked keeps
/// its link, so whoever stands on it walks on, and is freed after the last reader that may stand there.</para>
/// <para>What goes is found by a clock in each shard: a hit only sets a mark, once, so hits do not write to what others
/// read. Index blocks and filters pass more rounds than data, and while they are within three quarters of the budget
/// tables keep them for as long as they live (<see cref="TryKeep"/>): then they are not looked up here at all.</para>
/// </remarks>
sealed unsafe class BlockCache : SharedResource
{
    const int MaxShards = 16;
    const long ShardBytes = 1 << 20;
    const int BytesPerBucket = 2048;

    // Tables and segments have numbers of their own.
    const ulong SegmentFlag = 1UL << 63;

    readonly ReadEpoch epoch = new();
    readonly long capacityBytes;
    readonly BlockMemory** buckets;
    readonly int bucketCount;
    readonly BlockCacheShard[] shards;
    readonly Lock keeping = new();
    long keptBytes;
    long allocatedBytes;
    long misses;
    long valueMisses;

    public BlockCache(long capacityBytes)
    {
        this.capacityBytes = capacityBytes;
        epoch.FreeLeftovers = FreeLeftovers;
        shards = new BlockCacheShard[(int)Math.Clamp(BitOperations.RoundUpToPowerOf2((ulong)(capacityBytes / ShardBytes)), 1, MaxShards)];
        bucketCount = (int)Math.Clamp(BitOperations.RoundUpToPowerOf2((ulong)(capacityBytes / BytesPerBucket)), MaxShards, 1 << 26);
        buckets = (BlockMemory**)NativeMemory.AllocZeroed((nuint)bucketCount, (nuint)sizeof(BlockMemory*));
        for (var i = 0; i < shards.Length; i++) shards[i] = new BlockCacheShard(this, epoch, CapacityOfShard(0));
    }

    /// <summary>What readers are in while they use blocks that they hold no reference to.</summary>
    public ReadEpoch Epoch => epoch;

    /// <summary>Memory of everything cached. Never above the budget, unless the budget is smaller than the cache's own table.</summary>
    public long UsedBytes
    {
        get
        {
            using (keeping.Hold()) return BucketBytes + keptBytes + shards.Sum(shard => shard.UsedBytes);
        }
    }

    /// <summary>Memory of all blocks, those in readers' hands as well.</summary>
    public long AllocatedBytes => Volatile.Read(ref allocatedBytes);

    /// <summary>Memory taken of the system for them: what lies free between blocks as well.</summary>
    public long TakenBytes => BucketBytes + shards.Sum(shard => shard.Heap.TakenBytes);

    public long Hits => epoch.Hits;

    public long Misses => Volatile.Read(ref misses);

    /// <summary>Values that were found.</summary>
    public long ValueHits => epoch.ValueHits;

    /// <summary>Values that were small enough to be here and had to be read.</summary>
    public long ValueMisses => Volatile.Read(ref valueMisses);

    /// <summary>The budget.</summary>
    public long CapacityBytes => capacityBytes;

    long BucketBytes => (long)bucketCount * sizeof(BlockMemory*);

    /// <summary>Memory for a block, with one reference, the caller's.</summary>
    public Block Allocate(int neededBytes, ulong tableId, long offset, byte worth)
    {
        Interlocked.Increment(ref misses);
        return AllocateUncounted(neededBytes, tableId, offset, worth);
    }

    /// <summary>The same for a value.</summary>
    public Block AllocateValue(int neededBytes, ulong segmentId, long offset, byte worth) =>
        AllocateUncounted(neededBytes, segmentId | SegmentFlag, offset, worth);

    /// <summary>Finds a block for a reader within the epoch.</summary>
    public Block Find(int slot, ulong tableId, long offset)
    {
        var found = Lookup(tableId, offset);
        if (!found.IsNone) epoch.CountHit(slot);
        return found;
    }

    /// <summary>Finds a value for a reader within the epoch.</summary>
    public Block FindValue(int slot, ulong segmentId, long offset)
    {
        var found = Lookup(segmentId | SegmentFlag, offset);
        if (!found.IsNone) epoch.CountValueHit(slot);
        else Interlocked.Increment(ref valueMisses);
        return found;
    }

    /// <summary>Whether a value finds room without pushing anything out.</summary>
    public bool HasValueRoom(int neededBytes, ulong segmentId, long offset)
    {
        _ = BucketOf(segmentId | SegmentFlag, offset, out var shard);
        return shards[shard].HasRoom(neededBytes);
    }

    /// <summary>Takes a block in, with a reference of its own; false if there is no room or another one of it is here.</summary>
    public bool TryAdd(Block block)
    {
        var memory = block.Memory;
        var bucket = BucketOf(memory->TableId, memory->Offset, out var shard);
        return shards[shard].TryAdd(memory, bucket);
    }

    /// <summary>
    /// Counts a block that a table keeps from now on; false if there is no room that index blocks and filters may take.
    /// </summary>
    public bool TryKeep(Block block)
    {
        var size = block.Memory->AllocatedBytes;
        using (keeping.Hold())
        {
            if (keptBytes + size > (capacityBytes - BucketBytes) / 4 * 3) return false;
            var oldest = epoch.OldestReader();
            var used = 0L;
            foreach (var shard in shards) used += shard.Shrink(CapacityOfShard(keptBytes + size), oldest);
            if (BucketBytes + keptBytes + size + used <= capacityBytes)
            {
                Volatile.Write(ref keptBytes, keptBytes + size);
                block.Memory->IsKept = true;
                return true;
            }

            // What was just evicted is still being read: later, then.
            foreach (var shard in shards) shard.Shrink(CapacityOfShard(keptBytes), oldest);
            return false;
        }
    }

    /// <summary>Frees what a table has kept.</summary>
    public void FreeKept(Block block)
    {
        using (keeping.Hold())
        {
            Volatile.Write(ref keptBytes, keptBytes - block.Memory->AllocatedBytes);
            foreach (var shard in shards) shard.CapacityBytes = CapacityOfShard(keptBytes);
        }

        ReleaseBlock(block);
    }

    /// <summary>Takes a reference, within the epoch in which the block was found.</summary>
    public static void AcquireBlock(Block block) => Interlocked.Increment(ref block.Memory->References);

    public void ReleaseBlock(Block block)
    {
        var memory = block.Memory;
        var left = Interlocked.Decrement(ref memory->References);
        Invariant.Require(left >= 0);
        if (left > 0) return;
        Interlocked.Add(ref allocatedBytes, -memory->AllocatedBytes);
        ShardOf(memory->TableId, memory->Offset).Heap.Release(memory, memory->AllocatedBytes);
    }

    /// <summary>Takes over the reference of a reader within the epoch, to release it when the reader leaves.</summary>
    public void ReleaseOnExit(int slot, Block block)
    {
        ref var first = ref epoch.Leftovers(slot);
        block.Memory->Next = (BlockMemory*)first;
        first = (nint)block.Memory;
    }

    protected override void Free()
    {
        foreach (var shard in shards) shard.FreeAll();
        NativeMemory.Free(buckets);
    }

    Block AllocateUncounted(int neededBytes, ulong tableId, long offset, byte worth)
    {
        var memory = (BlockMemory*)ShardOf(tableId, offset).Heap.Allocate(neededBytes);
        *memory = new BlockMemory
        {
            TableId = tableId,
            Offset = offset,
            AllocatedBytes = neededBytes,
            References = 1,
            Worth = worth,
        };
        Interlocked.Add(ref allocatedBytes, neededBytes);
        return new Block(memory);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    Block Lookup(ulong tableId, long offset)
    {
        var block = (BlockMemory*)Volatile.Read(ref *(nint*)BucketOf(tableId, offset, out _));
        while (block != null && (block->Offset != offset || block->TableId != tableId))
            block = (BlockMemory*)Volatile.Read(ref *(nint*)&block->Next);
        if (block == null) return default;
        if (block->Credit != block->Worth) block->Credit = block->Worth;
        return new Block(block);
    }

    void FreeLeftovers(long first)
    {
        for (var block = (BlockMemory*)first; block != null;)
        {
            var next = block->Next;
            ReleaseBlock(new Block(block));
            block = next;
        }
    }

    long CapacityOfShard(long kept) => Math.Max(0, capacityBytes - BucketBytes - kept) / shards.Length;

    BlockCacheShard ShardOf(ulong tableId, long offset)
    {
        _ = BucketOf(tableId, offset, out var shard);
        return shards[shard];
    }

    internal BlockMemory** BucketOf(ulong tableId, long offset, out int shard)
    {
        var hash = ((tableId * 0x9E3779B185EBCA87) ^ (ulong)offset) * 0xC2B2AE3D27D4EB4F;
        var bucket = (int)(hash >> 32) & (bucketCount - 1);
        shard = bucket & (shards.Length - 1);
        return buckets + bucket;
    }
}
