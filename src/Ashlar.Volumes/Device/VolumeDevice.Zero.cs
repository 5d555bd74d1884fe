using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

sealed partial class VolumeDevice
{
    static readonly byte[] Zeros = GC.AllocateArray<byte>(MapLayout.BlockBytes, pinned: true);

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default)
    {
        try
        {
            await ZeroAsync(start, blockCount, IsThick || (options & ZeroOptions.KeepAllocated) != ZeroOptions.None, cancellationToken);
            if ((options & ZeroOptions.ForceUnitAccess) != ZeroOptions.None) await parts.Committer.RunAsync(CommitScope.Flush);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountWrite(blockCount * BlockSizeBytes);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        try
        {
            await ZeroAsync(start, blockCount, IsThick, cancellationToken);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountTrim();
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ZeroAsync(Lba start, long blockCount, bool keep, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfUnusable();
        Geometry.CheckRange(Name, start, blockCount);
        ThrowIfReadOnly();
        parts.Failure.ThrowIfLatched();
        var (offset, length) = (start.ToOffsetBytes(BlockSizeBytes), blockCount * BlockSizeBytes);
        // First all the space, so that a request that has no room for all of it changes nothing. A thick volume has it.
        if (keep && !IsThick && length > 0) await KeepRangeAsync(offset, length, cancellationToken);
        await ZeroRangeAsync(offset, length, keep, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ZeroRangeAsync(long offset, long length, bool keep, CancellationToken cancellationToken)
    {
        var end = offset + length;
        var (firstLeaf, endLeaf) = (offset / MapLayout.LeafBytes, (end + MapLayout.LeafBytes - 1) / MapLayout.LeafBytes);
        // Leaves that do not exist need no work, unless they are to be allocated.
        foreach (var leafIndex in keep ? Every(firstLeaf, endLeaf) : LeafOccupancy.Between(this, firstLeaf, endLeaf))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var from = Math.Max(offset, leafIndex * MapLayout.LeafBytes);
            var to = Math.Min(end, (leafIndex + 1) * MapLayout.LeafBytes);
            await parts.Throttle.WaitAsync();
            await ZeroLeafAsync(leafIndex, (int)(from % MapLayout.LeafBytes), (int)(to - from), keep, isForced: false);
        }

        static IEnumerable<long> Every(long first, long end)
        {
            for (var leaf = first; leaf < end; leaf++) yield return leaf;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ZeroLeafAsync(long leafIndex, int offset, int count, bool keep, bool isForced)
    {
        for (var attempt = 0; ; attempt++)
        {
            using (var locked = await LockLeafAsync(leafIndex))
            {
                if (!isForced) CheckStillThere((leafIndex * MapLayout.LeafBytes) + offset + count);
                if (await TryZeroLockedAsync(locked.Leaf, offset, count, keep, isForced)) return;
            }

            await parts.Throttle.WaitForSpaceAsync(Name, attempt);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryZeroLockedAsync(Leaf leaf, int offset, int count, bool keep, bool isForced)
    {
        if (!CoversWhole(leaf, offset, count)) ThrowIfDamaged(leaf);
        // Keeping it for a snapshot takes room, where nothing is given back for it.
        if (!isForced && parts.Rules.MustFreeze(leaf.Version.Generation, NewestSnapshot)) parts.Metadata.ThrowIfExhausted(Name);
        if (keep && await TryKeepLockedAsync(leaf, offset, count, reservation: null) is null) return false;
        // Parts of blocks at either end are overwritten with zeros, if there is anything to overwrite.
        var end = offset + count;
        var firstWhole = (offset + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes;
        var endWhole = end / MapLayout.BlockBytes;
        if (firstWhole > endWhole) return await TryZeroEdgeAsync(leaf, offset, count);
        if (offset % MapLayout.BlockBytes != 0 && !await TryZeroFirstAsync((firstWhole * MapLayout.BlockBytes) - offset)) return false;
        if (end % MapLayout.BlockBytes != 0
            && !await TryZeroEdgeAsync(leaf, endWhole * MapLayout.BlockBytes, end % MapLayout.BlockBytes)) return false;
        if (firstWhole == endWhole) return true;
        if (keep) Invalidate(leaf, firstWhole, endWhole - firstWhole);
        else Unmap(leaf, firstWhole, endWhole - firstWhole);
        LogZeros(leaf, firstWhole, endWhole - firstWhole, keep);
        return true;

        // What a resizing cuts off of a damaged block stays where it is: the block goes on failing, so that nothing of it comes back.
        async ValueTask<bool> TryZeroFirstAsync(int length)
        {
            try
            {
                return await TryZeroEdgeAsync(leaf, offset, length);
            }
            catch (CorruptDataException) when (isForced)
            {
                return true;
            }
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryZeroEdgeAsync(Leaf leaf, int offset, int count)
    {
        var block = offset / MapLayout.BlockBytes;
        bool isValid;
        lock (leaf)
            isValid = leaf.HasEntries
                && (leaf.Entries[block / MapLayout.BlocksPerChunk].Valid >> (block % MapLayout.BlocksPerChunk) & 1) != 0;
        return !isValid || await TryWriteLockedAsync(leaf, offset, Zeros.AsMemory(0, count));
    }

    void Unmap(Leaf leaf, int firstBlock, int blockCount)
    {
        if (!IsToBeChanged(leaf, firstBlock, blockCount)) return;
        BeginChange(leaf);
        Renew(leaf, SlotMasks.ToSet(firstBlock, blockCount));
        lock (leaf)
        {
            if (leaf.Damage is not null) Replace(leaf);
            if (!leaf.HasEntries) return;
            foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
            {
                ref var entry = ref leaf.Entries[slot];
                if (!entry.IsMapped) continue;
                var wasValid = entry.Valid;
                var isWhole = mask == ushort.MaxValue;
                if (!isWhole && (wasValid & mask) == 0) continue;
                DropRedirected(leaf, slot, mask);
                entry.Valid &= (ushort)~mask;
                if (entry.Chunk != 0 && (isWhole || (entry.AtHome == 0 && !entry.IsKept))) DropHome(leaf, ref entry);
                parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
            }
        }
    }

    // A leaf of which nothing is mapped need not be kept for a snapshot before nothing of it is unmapped.
    static bool IsToBeChanged(Leaf leaf, int firstBlock, int blockCount)
    {
        lock (leaf)
        {
            if (leaf.Damage is not null) return true;
            if (!leaf.HasEntries) return false;
            foreach (var (slot, _) in new SlotMasks(firstBlock, blockCount))
                if (leaf.Entries[slot].IsMapped) return true;
            return false;
        }
    }

    // A leaf that could not be read gives way to an empty one.
    void Replace(Leaf leaf)
    {
        FreezeDamaged(leaf);
        leaf.Replace();
        parts.Damage.HealedMap(Lineage, leaf.Index);
        EnsureEntries(leaf);
        parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
    }

    // The blocks read as zeros; their chunks stay.
    void Invalidate(Leaf leaf, int firstBlock, int blockCount)
    {
        BeginChange(leaf);
        Renew(leaf, SlotMasks.ToSet(firstBlock, blockCount));
        lock (leaf)
        {
            foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
            {
                ref var entry = ref leaf.Entries[slot];
                if ((entry.Valid & mask) == 0) continue;
                DropRedirected(leaf, slot, mask);
                entry.Valid &= (ushort)~mask;
                parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
            }
        }
    }
}
