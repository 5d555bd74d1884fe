using System.Runtime.CompilerServices;
using Ashlar.Blocks;

namespace Ashlar.Volumes;

sealed partial class ThinVolume
{
    static readonly byte[] Zeros = GC.AllocateArray<byte>(MapLayout.BlockBytes, pinned: true);

    public async ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default)
    {
        await ZeroAsync(start, blockCount, IsThick || (options & ZeroOptions.KeepAllocated) != ZeroOptions.None, cancellationToken);
        if ((options & ZeroOptions.ForceUnitAccess) != ZeroOptions.None) await Pool.Commits.RunAsync(CommitScope.Flush);
        counters.HasWritten(0);
    }

    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        await ZeroAsync(start, blockCount, IsThick, cancellationToken);
        counters.HasTrimmed();
    }

    /// <summary>Unmaps what lies beyond an offset, whatever the volume's size or state: for shrinking and deleting.</summary>
    public async ValueTask UnmapFromAsync(long offsetBytes, long endBytes, CancellationToken cancellationToken)
    {
        var wholeLeaves = (endBytes + MapLayout.LeafBytes - 1) / MapLayout.LeafBytes * MapLayout.LeafBytes;
        await ZeroRangeAsync(offsetBytes, wholeLeaves - offsetBytes, keep: false, isForced: true, cancellationToken);
    }

    async ValueTask ZeroAsync(Lba start, long blockCount, bool keep, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfUnusable();
        Geometry.CheckRange(Name, start, blockCount);
        Pool.Failure.ThrowIfLatched();
        try
        {
            await ZeroRangeAsync(
                start.ToOffsetBytes(BlockSizeBytes), blockCount * BlockSizeBytes, keep, isForced: false, cancellationToken);
        }
        catch
        {
            counters.Failed();
            throw;
        }
    }

    async ValueTask ZeroRangeAsync(long offset, long length, bool keep, bool isForced, CancellationToken cancellationToken)
    {
        var end = offset + length;
        while (offset < end)
        {
            const long pageBytes = (long)LeafTable.LeavesPerPage * MapLayout.LeafBytes;
            var pageEnd = Math.Min(end, ((offset / pageBytes) + 1) * pageBytes);
            // Leaves that do not exist need no work, unless they are to be allocated.
            var occupied = keep || pageEnd - offset <= 4 * MapLayout.LeafBytes ? null : LeafOccupancy.Read(this, offset / pageBytes);
            while (offset < pageEnd)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var leafIndex = offset / MapLayout.LeafBytes;
                var inLeaf = (int)(offset % MapLayout.LeafBytes);
                var count = (int)Math.Min(MapLayout.LeafBytes - inLeaf, pageEnd - offset);
                if (occupied is null || occupied.Contains(leafIndex))
                {
                    await Pool.ThrottleAsync();
                    await ZeroLeafAsync(leafIndex, inLeaf, count, keep, isForced);
                }

                offset += count;
            }
        }
    }

    async ValueTask ZeroLeafAsync(long leafIndex, int offset, int count, bool keep, bool isForced)
    {
        for (var attempt = 0; ; attempt++)
        {
            var leaf = Pool.Cache.Acquire(this, leafIndex);
            try
            {
                await leaf.WriteLock.EnterAsync();
                try
                {
                    if (!isForced) CheckStillThere((leafIndex * MapLayout.LeafBytes) + offset + count);
                    if (await TryZeroLockedAsync(leaf, offset, count, keep)) return;
                }
                finally
                {
                    leaf.WriteLock.Exit();
                }
            }
            finally
            {
                leaf.Unpin();
            }

            await Pool.WaitForSpaceAsync(Name, attempt);
        }
    }

    async ValueTask<bool> TryZeroLockedAsync(Leaf leaf, int offset, int count, bool keep)
    {
        // Parts of blocks at either end are overwritten with zeros, if there is anything to overwrite.
        var end = offset + count;
        var firstWhole = (offset + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes;
        var endWhole = end / MapLayout.BlockBytes;
        if (firstWhole > endWhole) return await TryZeroEdgeAsync(leaf, offset, count, keep);
        if (offset % MapLayout.BlockBytes != 0
            && !await TryZeroEdgeAsync(leaf, offset, (firstWhole * MapLayout.BlockBytes) - offset, keep)) return false;
        if (end % MapLayout.BlockBytes != 0
            && !await TryZeroEdgeAsync(leaf, endWhole * MapLayout.BlockBytes, end % MapLayout.BlockBytes, keep)) return false;
        if (firstWhole == endWhole) return true;
        return keep ? TryKeepBlocks(leaf, firstWhole, endWhole - firstWhole) : Unmap(leaf, firstWhole, endWhole - firstWhole);
    }

    async ValueTask<bool> TryZeroEdgeAsync(Leaf leaf, int offset, int count, bool keep)
    {
        var block = offset / MapLayout.BlockBytes;
        bool isValid;
        lock (leaf)
            isValid = leaf.HasEntries
                && (leaf.Entries[block / MapLayout.BlocksPerChunk].Valid >> (block % MapLayout.BlocksPerChunk) & 1) != 0;
        if (!isValid) return !keep || TryKeepBlocks(leaf, block, 0);
        return await TryWriteLockedAsync(leaf, offset, Zeros.AsMemory(0, count));
    }

    bool Unmap(Leaf leaf, int firstBlock, int blockCount)
    {
        lock (leaf)
        {
            if (!leaf.HasEntries) return true;
            foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
            {
                ref var entry = ref leaf.Entries[slot];
                if (entry.Chunk == 0) continue;
                var wasValid = entry.Valid;
                var isWhole = mask == ushort.MaxValue;
                if (!isWhole && (wasValid & mask) == 0) continue;
                if (isWhole || ((wasValid & ~mask) == 0 && !entry.IsKept))
                {
                    Quarantine(leaf, slot);
                }
                else
                {
                    entry.Valid &= (ushort)~mask;
                }

                Pool.Commits.Changed(leaf, LeafDirt.Map);
            }

            return true;
        }
    }

    void Quarantine(Leaf leaf, int slot)
    {
        var chunk = leaf.Entries[slot].Chunk;
        leaf.Remove(slot);
        Interlocked.Decrement(ref allocatedChunks);
        if (Pool.Options.Has(PlantedBugs.ReuseBeforeCommit)) Pool.Space.Release([chunk]);
        else Pool.Space.Quarantine(1);
    }

    // The blocks read as zeros and their chunks, with the first of an empty run, become or stay allocated.
    bool TryKeepBlocks(Leaf leaf, int firstBlock, int blockCount)
    {
        var plan = LeafSnapshot.Rent();
        try
        {
            var planned = Math.Max(blockCount, 1);
            if (!TryPlan(leaf, plan, firstBlock, planned)) return false;
            lock (leaf)
            {
                EnsureEntries(leaf);
                foreach (var (slot, mask) in new SlotMasks(firstBlock, planned))
                {
                    ref var entry = ref leaf.Entries[slot];
                    var isNew = entry.Chunk == 0;
                    if (isNew) Map(ref entry, plan.Entries[slot].Chunk);
                    if (!isNew && entry.IsKept && (entry.Valid & mask) == 0) continue;
                    entry.IsKept = true;
                    if (blockCount > 0) entry.Valid &= (ushort)~mask;
                    Pool.Commits.Changed(leaf, LeafDirt.Map);
                }
            }

            return true;
        }
        finally
        {
            plan.Return();
        }
    }
}
