using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Which blocks a write marks before it overwrites them: those that it overwrites, and, so that not every small write waits for a
// flush of the store, some that are likely to be next. What is marked beyond the write is read and verified first: damage from before
// must not hide behind a marker.
sealed partial class ThinVolume
{
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask MarkAsync(Leaf leaf, int firstBlock, int blockCount)
    {
        var blocks = parts.Rules.NeedMarkers(leaf, firstBlock, blockCount);
        if (blocks.IsEmpty) return;
        // While the leaf counts as overwritten its marker can only grow.
        if (leaf.IsOverwritten && leaf.Marks!.Durable.Contains(blocks)) return;
        if (leaf.Marks is not { } marks || !marks.Durable.Contains(blocks))
        {
            var ahead = ChooseAhead(leaf, blocks, firstBlock, blockCount);
            if (!ahead.IsEmpty) blocks.Add(await FindSoundAsync(leaf, ahead));
        }

        lock (leaf) parts.ChangedLeaves.Add(leaf, LeafDirt.Checksums);
        await parts.Markers.EnsureAsync(leaf, blocks);
    }

    // The rest of a chunk that is written to for the second time; and, behind a sequential writer, twice what it has written of the
    // leaf so far. A lone write in a chunk marks its own blocks and no other.
    static BlockSet ChooseAhead(Leaf leaf, BlockSet blocks, int firstBlock, int blockCount)
    {
        var ahead = default(BlockSet);
        var end = firstBlock + blockCount;
        if (leaf.SequentialBlocks(firstBlock) is > 0 and var sequential)
            end = Math.Min(MapLayout.BlocksPerLeaf, end + (2 * (sequential + blockCount)));
        for (var slot = firstBlock / MapLayout.BlocksPerChunk; slot * MapLayout.BlocksPerChunk < end; slot++)
        {
            var marked = leaf.Marks is { } marks ? marks.Wanted[slot] : (ushort)0;
            if (marked != 0 || end > firstBlock + blockCount)
                ahead[slot] = (ushort)(leaf.Entries[slot].CommittedValid & leaf.Entries[slot].Valid & ~marked & ~blocks[slot]);
        }

        return ahead;
    }

    // Those of the blocks that match their checksums.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<BlockSet> FindSoundAsync(Leaf leaf, BlockSet blocks)
    {
        var sound = default(BlockSet);
        var copy = LeafPlan.Rent();
        try
        {
            copy.CopyFrom(leaf, 0, MapLayout.BlocksPerLeaf);
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            {
                if (blocks[slot] == 0) continue;
                var first = BitOperations.TrailingZeroCount(blocks[slot]);
                var count = 32 - BitOperations.LeadingZeroCount(blocks[slot]) - first;
                if (!await TryReadRawAsync(copy, (slot * MapLayout.BlocksPerChunk) + first, count, at: first)) continue;
                for (var inChunk = first; inChunk < first + count; inChunk++)
                {
                    var block = (slot * MapLayout.BlocksPerChunk) + inChunk;
                    if (blocks.Contains(block)
                        && copy.FindMismatch(block, copy.Chunk.AsSpan(inChunk * MapLayout.BlockBytes, MapLayout.BlockBytes)) < 0) sound.Add(block);
                }
            }

            return sound;
        }
        finally
        {
            copy.Return();
        }
    }

    // The invariant that all of this is for.
    bool IsMarked(Leaf leaf, int firstBlock, int endBlock)
    {
        var blocks = parts.Rules.NeedMarkers(leaf, firstBlock, endBlock - firstBlock);
        return blocks.IsEmpty || (leaf.IsOverwritten && leaf.Marks is { } marks && marks.Durable.Contains(blocks));
    }
}
