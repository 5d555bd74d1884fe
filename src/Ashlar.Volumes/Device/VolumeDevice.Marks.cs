using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Which blocks a write marks before it overwrites them: those that it overwrites, and, so that not every small write waits for a
// flush of the store, some that are likely to be next. What is marked beyond the write is read and verified first: damage from before
// must not hide behind a marker.
sealed partial class VolumeDevice
{
    // Reading the rest of a leaf costs about as much as a few flushes of the store.
    const int BusyChunks = 4;

    readonly MarkerPressure pressure;

    /// <summary>Length from which on its leaves may have deltas.</summary>
    public int LeastWholeBytes => parts.Rules.LeastWholeBytes;

    /// <summary>
    /// Whether what is being committed is likely to be overwritten soon: then it is marked in passing, which needs no verifying, and
    /// nobody waits for it.
    /// </summary>
    public bool ExpectsOverwrites => pressure.WasHigh;

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask MarkAsync(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount)
    {
        var blocks = parts.Rules.NeedMarkers(leaf, plan, firstBlock, blockCount);
        if (blocks.IsEmpty) return;
        // While the leaf counts as overwritten its marker can only grow.
        if (leaf.IsOverwritten && leaf.Marks!.Durable.Contains(blocks)) return;
        if (leaf.Marks is not { } marks || !marks.Durable.Contains(blocks))
        {
            var ahead = ChooseAhead(leaf, blocks, firstBlock, blockCount, pressure.IsHigh(BlocksToVerify(leaf)) ? 0 : BusyChunks);
            if (!ahead.IsEmpty)
            {
                var verifying = pressure.Begin();
                blocks.Add(await FindSoundAsync(leaf, ahead));
                pressure.Verified(verifying, ahead.Count);
            }
        }

        lock (leaf) parts.ChangedLeaves.Add(leaf, LeafDirt.Checksums);
        var (began, inlineWaits) = (pressure.Begin(), InlineWaits.Count);
        var marking = parts.Markers.EnsureAsync(leaf, blocks);
        var isWait = !marking.IsCompleted || InlineWaits.Count != inlineWaits;
        await marking;
        if (isWait) pressure.Waited(began);
    }

    // A lone write marks its own blocks and no other. The second one in a chunk marks the rest of the chunk; behind a sequential writer
    // twice what it has written of the leaf so far is marked; and where several chunks of a leaf are marked already, all of it, or at
    // once while the writers of the volume do little but wait for markers.
    BlockSet ChooseAhead(Leaf leaf, BlockSet blocks, int firstBlock, int blockCount, int busyChunks)
    {
        var ahead = default(BlockSet);
        var wanted = leaf.Marks is { } marks ? marks.Wanted : default;
        var (first, end) = (firstBlock, firstBlock + blockCount);
        if (wanted.ChunkCount >= busyChunks) (first, end) = (0, MapLayout.BlocksPerLeaf);
        else if (leaf.SequentialBlocks(firstBlock) is > 0 and var sequential)
            end = Math.Min(MapLayout.BlocksPerLeaf, end + (2 * (sequential + blockCount)));
        var isWide = end - first > blockCount;
        var shared = SharedThrough(leaf);
        for (var slot = first / MapLayout.BlocksPerChunk; slot * MapLayout.BlocksPerChunk < end; slot++)
        {
            ref readonly var entry = ref leaf.Entries[slot];
            // Only homes: what lies elsewhere is seldom overwritten twice.
            if (entry.Birth > shared && (isWide || wanted[slot] != 0))
                ahead[slot] = (ushort)(entry.CommittedValid & entry.AtHome & ~wanted[slot] & ~blocks[slot]);
        }

        return ahead;
    }

    static int BlocksToVerify(Leaf leaf)
    {
        var count = 0;
        foreach (ref readonly var entry in leaf.Entries) count += BitOperations.PopCount((uint)(entry.CommittedValid & entry.AtHome));
        return count;
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
                // Blocks of a home lie side by side; what is between them may hold anything.
                if (!await TryReadRawAsync(copy, (slot * MapLayout.BlocksPerChunk) + first, count, at: first)) continue;
                for (var inChunk = first; inChunk < first + count; inChunk++)
                {
                    var block = (slot * MapLayout.BlocksPerChunk) + inChunk;
                    if (blocks.Contains(block)
                        && copy.FindMismatch(block, copy.Chunk.AsSpan(inChunk * MapLayout.BlockBytes, MapLayout.BlockBytes)) < 0)
                        sound.Add(block);
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
    bool IsMarked(Leaf leaf, LeafPlan plan, int firstBlock, int endBlock)
    {
        var blocks = parts.Rules.NeedMarkers(leaf, plan, firstBlock, endBlock - firstBlock);
        return blocks.IsEmpty || (leaf.IsOverwritten && leaf.Marks is { } marks && marks.Durable.Contains(blocks));
    }
}
