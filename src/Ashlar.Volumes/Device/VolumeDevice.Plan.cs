using System.Numerics;
using Ashlar.Blocks;

namespace Ashlar.Volumes;

// Places for what a request is about to write.
sealed partial class VolumeDevice
{
    // Places for what has none that may be written, all or none. They are the request's until they become the leaf's. Blocks go home if the
    // home is the head's alone. Else they stay where they are if that place is; or a chunk that is written as a whole gets a new home;
    // or they go to a fragment chunk, each by itself. What is written atomically goes home only where nothing is at home, and never stays.
    bool TryPlan(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount, bool isWrite, SpaceReservation? reservation = null)
    {
        plan.CopyFrom(leaf, firstBlock, blockCount);
        // What a log brings back was accepted when there was room.
        var isAccepted = parts.Recent.Homes is not null;
        if (parts.Metadata.IsExhausted && !isAccepted && NeedsMap(plan, firstBlock, blockCount, isWrite, SharedThroughIfChanged(leaf)))
            parts.Metadata.ThrowIfExhausted(Name);
        BeginChange(leaf);
        plan.Generation = leaf.Version.Generation;
        var shared = SharedThrough(leaf);
        var fragments = default(BlockSet);
        foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
        {
            if (NeedsHome(plan, slot, mask, isWrite, shared))
            {
                var chunk = parts.Recent.Homes?.Take(leaf, slot) is > 0 and var recovered
                    ? recovered
                    : parts.Space.Take(
                        PreferredChunk(leaf, plan, slot, firstBlock / MapLayout.BlocksPerChunk), slot, ref cursor, reservation);
                if (chunk == 0)
                {
                    ReleasePlanned(plan);
                    return false;
                }

                plan.SetHome(slot, chunk);
            }

            if (isWrite) fragments[slot] = TargetSlot(plan, slot, mask, shared);
        }

        if (fragments.IsEmpty || TryTakeFragments(plan, fragments)) return true;
        ReleasePlanned(plan);
        return false;
    }

    bool NeedsHome(LeafPlan plan, int slot, ushort mask, bool isWrite, long shared)
    {
        ref readonly var entry = ref plan.Entries[slot];
        if (entry.Chunk == 0 && (!isWrite || entry.Redirected == 0)) return true;
        if (!isWrite || mask != ushort.MaxValue) return false;
        if (entry.Chunk == 0 || entry.Birth <= shared) return true;
        // A kept home stays: its space was promised.
        return plan.IsAtomic && !entry.IsKept && parts.Rules.FreeAtHome(entry) != ushort.MaxValue;
    }

    // Gives the blocks that need a place in a fragment chunk.
    ushort TargetSlot(LeafPlan plan, int slot, ushort mask, long shared)
    {
        ref readonly var entry = ref plan.Entries[slot];
        ushort home = 0, fragments = 0;
        if (plan.HasNewHome(slot)) home = ushort.MaxValue;
        else if (entry.Chunk != 0 && entry.Birth > shared)
            home = (ushort)(parts.Rules.FreeAtHome(entry) | (plan.IsAtomic ? 0 : ~entry.Redirected));
        for (var bits = (uint)mask; bits != 0; bits &= bits - 1)
        {
            var inChunk = BitOperations.TrailingZeroCount(bits);
            var block = (slot * MapLayout.BlocksPerChunk) + inChunk;
            if ((home >> inChunk & 1) != 0) plan.TargetHome(block);
            else if (!plan.IsAtomic && (entry.Redirected >> inChunk & 1) != 0 && plan.BirthOf(block) > shared) plan.TargetInPlace(block);
            else fragments |= (ushort)(1 << inChunk);
        }

        return fragments;
    }

    bool TryTakeFragments(LeafPlan plan, BlockSet blocks)
    {
        var places = new List<long>();
        if (!parts.Fragments.TryTake(this, blocks.Count, places)) return false;
        var next = 0;
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            for (var bits = (uint)blocks[slot]; bits != 0; bits &= bits - 1)
                plan.TargetFragment((slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(bits), places[next++]);
        return true;
    }

    // Whether the map has to grow: by places, or by checksums. Those of kept chunks have their room in it from the beginning, but for
    // chunks of earlier programs.
    static bool NeedsMap(LeafPlan plan, int firstBlock, int blockCount, bool isWrite, long shared)
    {
        foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
        {
            ref readonly var entry = ref plan.Entries[slot];
            if (plan.IsAtomic) return true;
            if (!isWrite)
            {
                if (entry.Chunk == 0 || !entry.IsKept) return true;
            }
            else if (entry.Chunk != 0 && entry.Birth > shared)
            {
                if ((!entry.IsKept || entry.LacksRoom) && (entry.Valid & mask) != mask) return true;
            }
            else
            {
                for (var bits = (uint)mask; bits != 0; bits &= bits - 1)
                {
                    var inChunk = BitOperations.TrailingZeroCount(bits);
                    if ((entry.Redirected >> inChunk & 1) == 0) return true;
                    if (plan.BirthOf((slot * MapLayout.BlocksPerChunk) + inChunk) <= shared) return true;
                }
            }
        }

        return false;
    }

    // Beside a neighbour within the leaf, so that the leaf becomes one run whatever the order of its writes.
    static long PreferredChunk(Leaf leaf, LeafPlan plan, int slot, int firstPlanned)
    {
        if (slot > firstPlanned && plan.Entries[slot - 1].Chunk is not 0 and var last) return last + 1;
        var entries = leaf.Entries;
        for (var distance = 1; distance < entries.Length; distance++)
        {
            if (slot - distance >= 0 && entries[slot - distance].Chunk is not 0 and var before) return before + distance;
            if (slot + distance < entries.Length && entries[slot + distance].Chunk is not 0 and var after) return after - distance;
        }

        return 0;
    }

    void ReleasePlanned(LeafPlan plan)
    {
        for (var bits = (uint)plan.NewHomes; bits != 0; bits &= bits - 1)
        {
            var chunk = plan.Entries[BitOperations.TrailingZeroCount(bits)].Chunk;
            if (parts.Recent.Homes?.TakeBack(chunk) != true) parts.Space.Release([chunk]);
        }

        parts.Fragments.Release(plan.TakenBlocks);
    }

    // Call under the lock.
    void Map(Leaf leaf, ref ChunkEntry entry, ChunkEntry planned)
    {
        (entry.Chunk, entry.Birth) = (planned.Chunk, planned.Birth);
        entry.ForgetHome();
        leaf.Changes.AddChunk(planned.Chunk);
        Interlocked.Increment(ref allocatedChunks);
    }

    void EnsureEntries(Leaf leaf)
    {
        if (leaf.HasEntries) return;
        leaf.EnsureEntries();
        parts.Cache.Grew(leaf);
    }
}
