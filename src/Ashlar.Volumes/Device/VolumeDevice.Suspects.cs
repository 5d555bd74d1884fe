using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What a look at suspect blocks found.</summary>
readonly record struct SuspectCount(int Checked, int Unreadable);

// Suspect blocks: those that an earlier life of the pool was overwriting when it ended. Until one of them is overwritten as a whole,
// whatever lies there is taken as it is the first time somebody looks, and counted.
//
// Crash order: the block stays suspect, by its durable marker, until a commit has flushed the device, for what was read may only be
// in its cache, and made the checksum durable. A crash before that finds the marker and looks again.
sealed partial class VolumeDevice
{
    /// <summary>Looks at every suspect block of a leaf.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<SuspectCount> CheckSuspectsAsync(long leafIndex)
    {
        using var locked = await LockLeafAsync(leafIndex);
        return await CheckSuspectsLockedAsync(locked.Leaf);
    }

    /// <summary>
    /// Looks at every suspect block of the volume that nobody has looked at: then only those are suspect that cannot be read at all.
    /// </summary>
    /// <exception cref="BlockDeviceException">Something cannot be read now, or settled.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask CheckAllSuspectsAsync()
    {
        foreach (var leafIndex in ListMarkedLeaves())
        {
            await parts.Throttle.WaitAsync();
            await CheckSuspectsAsync(leafIndex);
        }
    }

    List<long> ListMarkedLeaves()
    {
        var leaves = new List<long>();
        using var cursor = Store.Scan(KeyRange.Between(MapKeys.Marker(Lineage, 0), MapKeys.Marker(Lineage + 1, 0)));
        while (cursor.MoveNext()) leaves.Add(MapKeys.ReadMarker(cursor.Key).Number);
        return leaves;
    }

    /// <summary>The same for whoever holds the lock of the leaf.</summary>
    public ValueTask<SuspectCount> CheckSuspectsHeldAsync(Leaf leaf) => CheckSuspectsLockedAsync(leaf);

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<SuspectCount> CheckSuspectsLockedAsync(Leaf leaf)
    {
        if (leaf.Marks is not { Suspect.IsEmpty: false } marks || leaf.Damage is not null) return default;
        int looked = 0, unreadable = 0;
        var plan = LeafPlan.Rent();
        try
        {
            plan.CopyFrom(leaf, 0, MapLayout.BlocksPerLeaf);
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            {
                if (marks.Suspect[slot] == 0) continue;
                var first = BitOperations.TrailingZeroCount(marks.Suspect[slot]);
                var count = 32 - BitOperations.LeadingZeroCount(marks.Suspect[slot]) - first;
                var start = (slot * MapLayout.BlocksPerChunk) + first;
                var isRead = plan.ContiguousEnd(start, start + count) == start + count
                    && await TryReadMediumAsync(plan, start, count, at: first);
                for (var inChunk = first; inChunk < first + count; inChunk++)
                {
                    var block = (slot * MapLayout.BlocksPerChunk) + inChunk;
                    if (!marks.Suspect.Contains(block)) continue;
                    looked++;
                    // One sector that cannot be read costs its block and no other.
                    if (isRead || await TryReadMediumAsync(plan, block, 1, inChunk))
                        TryTakeAsItIs(
                            leaf,
                            block,
                            plan.ComputeChecksum(block, plan.Chunk.AsSpan(inChunk * MapLayout.BlockBytes, MapLayout.BlockBytes)));
                    else unreadable++;
                }
            }

            return new SuspectCount(looked, unreadable);
        }
        finally
        {
            plan.Return();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReadRawAsync(LeafPlan plan, int firstBlock, int blockCount, int at)
    {
        try
        {
            await parts.Device.ReadAsync(
                DeviceLba(plan.OffsetBytes(firstBlock)),
                plan.Chunk.AsMemory(at * MapLayout.BlockBytes, blockCount * MapLayout.BlockBytes));
            return true;
        }
        catch (BlockDeviceException)
        {
            return false;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReadMediumAsync(LeafPlan plan, int firstBlock, int blockCount, int at)
    {
        try
        {
            await parts.Medium.ReadAsync(
                DeviceLba(plan.OffsetBytes(firstBlock)),
                plan.Chunk.AsMemory(at * MapLayout.BlockBytes, blockCount * MapLayout.BlockBytes));
            return true;
        }
        catch (BlockDeviceException ill) when (!ill.IsTransient)
        {
            return false;
        }
    }

    // Without the write lock a hint: no block becomes suspect after its leaf was loaded.
    bool HasSuspect(Leaf leaf, int firstBlock, int blockCount) =>
        parts.Rules.AreSuspectsLookedAt
        && leaf.Marks is { Suspect.IsEmpty: false } marks
        && marks.Suspect.Overlaps(SlotMasks.ToSet(firstBlock, blockCount));

    /// <summary>
    /// A suspect block is from now on what was found of it; false for one that a snapshot needs, for nobody overwrites such a one: it is
    /// judged like any other. A version that was to go does not count: the life that let go of it may have overwritten what it had.
    /// </summary>
    bool TryTakeAsItIs(Leaf leaf, int block, uint found)
    {
        Settle(leaf);
        bool isOwn;
        lock (leaf)
        {
            isOwn = leaf.Map!.PlaceOf(block).Birth > SharedThroughNeeded(leaf);
            if (isOwn && leaf.Checksums[block] != found)
            {
                leaf.SetChecksums(block, [found]);
                parts.Unverified.Add(this, (leaf.Index * MapLayout.LeafBytes) + ((long)block * MapLayout.BlockBytes));
            }

            parts.ChangedLeaves.Add(leaf, LeafDirt.Checksums);
        }

        leaf.Marks!.Suspect.Remove(block);
        return isOwn;
    }

    /// <summary>Blocks were written anew or discarded: neither damage nor what a crash had done to them matters any more.</summary>
    void Renew(Leaf leaf, BlockSet blocks)
    {
        parts.Damage.Healed(leaf, blocks);
        if (leaf.Marks is not { Suspect.IsEmpty: false } marks || !marks.Suspect.Overlaps(blocks)) return;
        Settle(leaf);
        marks.Suspect.ExceptWith(blocks);
    }

    // Before a block stops being suspect: from here on the leaf counts as not committed, so that the marker stays until a commit
    // that flushes the device has written the leaf.
    void Settle(Leaf leaf)
    {
        Invariant.Require(leaf.WriteLock.IsHeld);
        parts.Markers.Unsettle(leaf);
        parts.Committer.DeviceWritten();
    }
}
