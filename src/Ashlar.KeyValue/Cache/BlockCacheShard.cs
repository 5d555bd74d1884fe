using System.Numerics;
using Ashlar.KeyValue.Blocks;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Cache;

/// <summary>
/// A part of the <see cref="BlockCache"/> with its lock, its clock and its share of the budget. Finding does not come here.
/// </summary>
sealed unsafe class BlockCacheShard(BlockCache cache, ReadEpoch epoch, long capacityBytes)
{
    // Room kept free for blocks that were evicted while somebody was reading: what is new need not wait for them.
    const int ReserveShare = 16;
    const long MaxReserveBytes = 64 << 10;

    const int ChunksOfHeap = 16;
    const long MinChunkBytes = 128 << 10;
    const long MaxChunkBytes = 32 << 20; // A terabyte in half of the mappings that Linux lets a process have.

    readonly Lock gate = new();
    BlockMemory* hand;
    int count;
    BlockMemory* oldestRetired;
    BlockMemory* newestRetired;
    long linkedBytes;
    long usedBytes; // Of linked and retired blocks.

    public long CapacityBytes { get; set; } = capacityBytes;

    /// <summary>Memory of the blocks that are or will be here, whichever thread asks for it: as large as the share of the budget.</summary>
    public BlockHeap Heap { get; } = new((int)Math.Clamp(
        (long)BitOperations.RoundUpToPowerOf2((ulong)(capacityBytes / ChunksOfHeap)), MinChunkBytes, MaxChunkBytes));

    public long UsedBytes => Volatile.Read(ref usedBytes);

    long ReserveBytes => Math.Min(CapacityBytes / ReserveShare, MaxReserveBytes);

    /// <summary>Whether nothing need go for so many bytes; by the time that they come, it may.</summary>
    public bool HasRoom(long bytes) => UsedBytes + bytes + ReserveBytes <= CapacityBytes;

    public bool TryAdd(BlockMemory* block, BlockMemory** bucket)
    {
        using (gate.Hold())
        {
            for (var other = *bucket; other != null; other = other->Next)
            {
                if (other->Offset == block->Offset && other->TableId == block->TableId) return false;
            }

            Shrink(CapacityBytes - block->AllocatedBytes - ReserveBytes);
            if (UsedBytes + block->AllocatedBytes > CapacityBytes) FreeRetired(epoch.OldestReader());
            if (UsedBytes + block->AllocatedBytes > CapacityBytes) return false;
            block->References++;
            block->Credit = (byte)(block->Worth - 1);
            Link(block);
            block->Next = *bucket;
            Volatile.Write(ref *(nint*)bucket, (nint)block);
            linkedBytes += block->AllocatedBytes;
            Volatile.Write(ref usedBytes, usedBytes + block->AllocatedBytes);
            return true;
        }
    }

    /// <summary>Sets the share of the budget, makes what is cached fit, and returns what is still used.</summary>
    public long Shrink(long capacityBytes, long oldestReader)
    {
        using (gate.Hold())
        {
            CapacityBytes = capacityBytes;
            Shrink(capacityBytes);
            FreeRetired(oldestReader);
            if (UsedBytes > capacityBytes) FreeRetired(epoch.OldestReader());
            return UsedBytes;
        }
    }

    public void FreeAll()
    {
        using (gate.Hold())
        {
            while (count > 0) Retire(hand);
            FreeRetired(long.MaxValue);
        }

        Heap.Close();
    }

    void Shrink(long linkedLimit)
    {
        // Each round takes one from a block's credit; blocks in readers' hands stay and may fill the shard.
        for (var passes = (long)count * 4; linkedBytes > linkedLimit && count > 0 && passes > 0; passes--)
        {
            var block = hand;
            hand = hand->After;
            if (Volatile.Read(ref block->References) > 1) continue;
            if (block->Credit > 0) block->Credit--;
            else Retire(block);
        }
    }

    void Retire(BlockMemory* block)
    {
        var link = cache.BucketOf(block->TableId, block->Offset, out _);
        while (*link != block) link = &(*link)->Next;
        Volatile.Write(ref *(nint*)link, (nint)block->Next);
        Unlink(block);
        linkedBytes -= block->AllocatedBytes;
        block->RetiredAt = epoch.Advance();
        block->After = null;
        if (newestRetired == null) oldestRetired = block;
        else newestRetired->After = block;
        newestRetired = block;
    }

    void FreeRetired(long oldestReader)
    {
        while (oldestRetired != null && oldestRetired->RetiredAt < oldestReader)
        {
            var block = oldestRetired;
            oldestRetired = block->After;
            if (oldestRetired == null) newestRetired = null;
            Volatile.Write(ref usedBytes, usedBytes - block->AllocatedBytes);
            cache.ReleaseBlock(new Block(block));
        }
    }

    // Just behind the hand: the last one that it comes to.
    void Link(BlockMemory* block)
    {
        count++;
        if (hand == null)
        {
            hand = block->Before = block->After = block;
            return;
        }

        block->After = hand;
        block->Before = hand->Before;
        hand->Before->After = block;
        hand->Before = block;
    }

    void Unlink(BlockMemory* block)
    {
        count--;
        if (count == 0)
        {
            hand = null;
            return;
        }

        block->Before->After = block->After;
        block->After->Before = block->Before;
        if (hand == block) hand = block->After;
    }
}
