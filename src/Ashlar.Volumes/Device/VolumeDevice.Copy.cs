using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Content that comes from a snapshot: of a clone that becomes independent of it, and of a volume that goes back to it.
sealed partial class VolumeDevice
{
    volatile bool isRestoring;
    volatile bool isBeingCopied;

    /// <summary>Whether it goes back to a snapshot just now: until it is there, every request fails.</summary>
    public bool IsRestoring
    {
        get => isRestoring;
        set => isRestoring = value;
    }

    /// <summary>Whether that is under way; if not, it could not be done, and the volume waits for another attempt.</summary>
    public bool IsBeingCopied
    {
        get => isBeingCopied;
        set => isBeingCopied = value;
    }

    /// <summary>Gives a leaf of a clone everything that it has of its parent as its own. Nothing that is read changes.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlattenLeafAsync(long leafIndex)
    {
        for (var attempt = 0; ; attempt++)
        {
            using (var locked = await LockLeafAsync(leafIndex))
            {
                ThrowIfUnusable();
                if (await TryFlattenLockedAsync(locked.Leaf)) return;
            }

            await parts.Throttle.WaitForSpaceAsync(Name, attempt);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryFlattenLockedAsync(Leaf leaf)
    {
        ThrowIfDamaged(leaf);
        var parent = Parent?.Generation ?? 0;
        var copy = LeafPlan.Rent();
        try
        {
            copy.CopyFrom(leaf, 0, MapLayout.BlocksPerLeaf);
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            {
                var first = slot * MapLayout.BlocksPerChunk;
                for (var block = first; block < first + MapLayout.BlocksPerChunk;)
                {
                    if (!copy.IsValid(block) || copy.BirthOf(block) > parent)
                    {
                        block++;
                        continue;
                    }

                    var end = block + 1;
                    while (end < first + MapLayout.BlocksPerChunk && copy.IsValid(end) && copy.BirthOf(end) <= parent) end++;
                    if (!await TryCopyAsync(leaf, copy, block, copy.Chunk.AsMemory(0, (end - block) * MapLayout.BlockBytes))) return false;
                    block = end;
                }
            }
        }
        finally
        {
            copy.Return();
        }

        BeginChange(leaf);
        lock (leaf)
        {
            // Homes without data that were asked to be kept are the parent's, too.
            if (leaf.HasEntries)
            {
                foreach (ref var entry in leaf.Entries)
                    if (entry.Chunk != 0 && entry.Birth <= parent) DropHome(leaf, ref entry);
            }

            parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
        }

        return true;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryCopyAsync(Leaf leaf, LeafCopy copy, int firstBlock, Memory<byte> buffer)
    {
        await ReadLockedAsync(leaf, copy, firstBlock, buffer, CancellationToken.None);
        return await TryWriteLockedAsync(leaf, firstBlock * MapLayout.BlockBytes, buffer);
    }

    /// <summary>Writes what a snapshot holds, or makes it read as zeros, whatever the state of the volume.</summary>
    /// <param name="offsetBytes">First byte, within one leaf.</param>
    /// <param name="content">What it shall hold; empty for zeros.</param>
    /// <param name="lengthBytes">How much.</param>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RestoreAsync(long offsetBytes, ReadOnlyMemory<byte> content, int lengthBytes)
    {
        var (leafIndex, inLeaf) = (offsetBytes / MapLayout.LeafBytes, (int)(offsetBytes % MapLayout.LeafBytes));
        Invariant.Require(inLeaf + lengthBytes <= MapLayout.LeafBytes && (content.IsEmpty || content.Length == lengthBytes));
        if (content.IsEmpty)
        {
            await ZeroLeafAsync(leafIndex, inLeaf, lengthBytes, keep: false, isForced: true);
            return;
        }

        for (var attempt = 0; ; attempt++)
        {
            using (var locked = await LockLeafAsync(leafIndex))
            {
                if (Volatile.Read(ref isDeleted)) throw new VolumeDeletedException(Name);
                if (await TryWriteLockedAsync(locked.Leaf, inLeaf, content)) return;
            }

            await parts.Throttle.WaitForSpaceAsync(Name, attempt);
        }
    }
}
