using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Blocks that lie in fragment chunks go home: by ordinary writes of what they hold, under the lock of their leaf.
sealed partial class VolumeDevice
{
    /// <summary>Fewer blocks are not worth a chunk of their own.</summary>
    public const int WorthHome = MapLayout.BlocksPerChunk / 2;

    /// <summary>Gives blocks of a leaf homes where that is worth it; nothing that is read changes.</summary>
    /// <param name="leafIndex">The leaf.</param>
    /// <param name="copiesShared">Whether chunks of which snapshots have blocks get copies of those.</param>
    /// <returns>Bytes that were written; null when there was no room for all of it.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<long?> GatherLeafAsync(long leafIndex, bool copiesShared)
    {
        using var locked = await LockLeafAsync(leafIndex);
        ThrowIfUnusable();
        var leaf = locked.Leaf;
        ThrowIfDamaged(leaf);
        long bytes = 0;
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
        {
            var (plan, entry) = Judge(leaf, slot, copiesShared);
            if (plan == Gathering.None) continue;
            var blocks = plan == Gathering.Home ? entry.Redirected : ushort.MaxValue;
            if (await TryGatherAsync(leaf, slot, blocks) is not { } written) return null;
            bytes += written;
            // What a whole write has made of holes goes again.
            for (var block = 0; plan == Gathering.NewHome && block < MapLayout.BlocksPerChunk; block++)
                if (!entry.IsValid(block)) Unmap(leaf, (slot * MapLayout.BlocksPerChunk) + block, 1);
        }

        return bytes;
    }

    /// <summary>Chunks that such a gathering would take for copies of what is shared.</summary>
    public static int CountCopies(LeafMap map, long shared)
    {
        var count = 0;
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            if (Judge(map, slot, shared, copiesShared: true) == Gathering.NewHome
                && Judge(map, slot, shared, copiesShared: false) == Gathering.None) count++;
        return count;
    }

    (Gathering Plan, ChunkEntry Entry) Judge(Leaf leaf, int slot, bool copiesShared)
    {
        lock (leaf)
        {
            return leaf.Map is { } map
                ? (Judge(map, slot, SharedThroughIfChanged(leaf), copiesShared), map.Entries[slot])
                : (Gathering.None, default);
        }
    }

    static Gathering Judge(LeafMap map, int slot, long shared, bool copiesShared)
    {
        ref readonly var entry = ref map.Entries[slot];
        if (entry.Redirected == 0) return Gathering.None;
        if (entry.Chunk != 0 && entry.Birth > shared) return Gathering.Home;
        var isOwn = entry.AtHome == 0;
        for (var bits = (uint)entry.Redirected; bits != 0 && isOwn; bits &= bits - 1)
            isOwn = map.PlaceOf((slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(bits)).Birth > shared;
        return (isOwn || copiesShared) && BitOperations.PopCount(entry.Valid) >= WorthHome ? Gathering.NewHome : Gathering.None;
    }

    // A slot that is written as a whole gets a home of its own; blocks that are written by themselves go to the one that there is.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<long?> TryGatherAsync(Leaf leaf, int slot, ushort blocks)
    {
        var copy = LeafPlan.Rent();
        try
        {
            copy.CopyFrom(leaf, slot * MapLayout.BlocksPerChunk, MapLayout.BlocksPerChunk);
            for (var first = 0; first < MapLayout.BlocksPerChunk;)
            {
                var end = first + 1;
                if ((blocks >> first & 1) != 0)
                {
                    while (end < MapLayout.BlocksPerChunk && (blocks >> end & 1) != 0) end++;
                    var content = copy.Chunk.AsMemory(0, (end - first) * MapLayout.BlockBytes);
                    if (!await TryCopyAsync(leaf, copy, (slot * MapLayout.BlocksPerChunk) + first, content)) return null;
                }

                first = end;
            }

            return BitOperations.PopCount(blocks) * MapLayout.BlockBytes;
        }
        finally
        {
            copy.Return();
        }
    }

    enum Gathering
    {
        None = 0,

        /// <summary>They go to the home that there is and that is the head's alone.</summary>
        Home,

        /// <summary>All of the chunk gets a new home.</summary>
        NewHome,
    }
}
