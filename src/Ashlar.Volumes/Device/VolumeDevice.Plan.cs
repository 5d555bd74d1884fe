using Ashlar.Blocks;

namespace Ashlar.Volumes;

// Places for what a request is about to write.
sealed partial class VolumeDevice
{
    // Places for the chunks that are not mapped yet, all or none. They are the request's until they become the leaf's.
    bool TryPlan(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount, bool isWrite, SpaceReservation? reservation = null)
    {
        plan.CopyFrom(leaf, firstBlock, blockCount);
        if (parts.Metadata.IsExhausted && NeedsMap(plan, firstBlock, blockCount, isWrite)) parts.Metadata.ThrowIfExhausted(Name);
        foreach (var (slot, _) in new SlotMasks(firstBlock, blockCount))
        {
            ref var entry = ref plan.Entries[slot];
            if (entry.Chunk != 0) continue;
            var chunk = parts.Space.Take(
                PreferredChunk(leaf, plan, slot, firstBlock / MapLayout.BlocksPerChunk), slot, ref cursor, reservation);
            if (chunk == 0)
            {
                ReleasePlanned(leaf, plan, firstBlock, slot * MapLayout.BlocksPerChunk - firstBlock);
                return false;
            }

            entry = new ChunkEntry { Chunk = chunk, Birth = Generation };
        }

        return true;
    }

    // Whether the map has to grow: by chunks, or by checksums. Those of kept chunks have their place in it from the beginning, but for
    // chunks of earlier programs.
    static bool NeedsMap(LeafPlan plan, int firstBlock, int blockCount, bool isWrite)
    {
        foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
        {
            ref readonly var entry = ref plan.Entries[slot];
            if (entry.Chunk == 0) return true;
            if (isWrite ? (!entry.IsKept || entry.LacksRoom) && (entry.Valid & mask) != mask : !entry.IsKept) return true;
        }

        return false;
    }

    // Beside a neighbour within the leaf, so that the leaf becomes one run whatever the order of its writes.
    static long PreferredChunk(Leaf leaf, LeafPlan plan, int slot, int firstPlanned)
    {
        if (slot > firstPlanned) return plan.Entries[slot - 1].Chunk + 1;
        var entries = leaf.Entries;
        for (var distance = 1; distance < entries.Length; distance++)
        {
            if (slot - distance >= 0 && entries[slot - distance].Chunk is not 0 and var before) return before + distance;
            if (slot + distance < entries.Length && entries[slot + distance].Chunk is not 0 and var after) return after - distance;
        }

        return 0;
    }

    void ReleasePlanned(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount)
    {
        foreach (var (slot, _) in new SlotMasks(firstBlock, blockCount))
            if (!leaf.HasEntries || leaf.Entries[slot].Chunk == 0) parts.Space.Release([plan.Entries[slot].Chunk]);
    }

    void Map(ref ChunkEntry entry, long chunk)
    {
        entry = new ChunkEntry { Chunk = chunk, Birth = Generation, CapturedChunk = entry.CapturedChunk };
        Interlocked.Increment(ref allocatedChunks);
    }

    void EnsureEntries(Leaf leaf)
    {
        if (leaf.HasEntries) return;
        leaf.EnsureEntries();
        parts.Cache.Grew(leaf);
    }
}
