using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What has become of a version of a leaf that was to go.</summary>
enum DropOutcome
{
    /// <summary>It goes with the next commit, or is none of those that are kept.</summary>
    Dropped = 0,

    /// <summary>Another snapshot needs it.</summary>
    Needed,

    /// <summary>Something younger has to be committed first.</summary>
    NotYet,

    /// <summary>It, or the one that follows it, cannot be read: nobody knows what it owns.</summary>
    Unreadable,
}

// Versions of leaves that snapshots keep.
sealed partial class VolumeDevice
{
    /// <summary>
    /// Waits until nobody goes by what he saw of generations and snapshots before the call: who holds a leaf now may have looked before;
    /// who takes one after us sees what was written before.
    /// </summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask PassWritersAsync()
    {
        for (var page = Leaves.FindNextPage(0); page >= 0; page = Leaves.FindNextPage(page + 1))
        {
            foreach (var leaf in Leaves.FindPage(page).ToArray())
            {
                if (leaf is null) continue;
                await leaf.WriteLock.EnterAsync();
                leaf.WriteLock.Exit();
            }
        }
    }

    /// <summary>Lets go of a version that was kept for snapshots, if none needs it.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<DropOutcome> DropVersionAsync(long leafIndex, long generation)
    {
        using var locked = await LockLeafAsync(leafIndex);
        var leaf = locked.Leaf;
        lock (leaf)
        {
            if (leaf.Changes.Frozen.Count > 0)
            {
                parts.ChangedLeaves.Add(leaf, LeafDirt.Map); // It may be kept without having changed.
                return DropOutcome.NotYet;
            }

            // The store does not have the neighbours that come, or still has those that go.
            if (leaf.CapturesBeingWritten > 0) return DropOutcome.NotYet;
            if (leaf.Changes.Dropped.Contains(generation)) return DropOutcome.Dropped;
            if (leaf.Changes.Dropped.Count > 0) return DropOutcome.NotYet;
        }

        var kept = parts.Store.Get(MapKeys.OldLeaf(Lineage, leafIndex, generation));
        if (kept is null) return DropOutcome.Dropped; // The head itself was changed then.
        var (older, younger) = parts.Versions.FindNeighbours(Lineage, leafIndex, generation);
        var next = younger != 0 ? younger : leaf.Damage is null ? leaf.Version.Generation : long.MaxValue;
        if (NeededGenerations.Any(needed => needed >= generation && needed < next)) return DropOutcome.Needed;
        if (leaf.Damage is not null) return DropOutcome.Unreadable;
        LeafMap gone, stays;
        try
        {
            gone = kept.Length == 0 ? new LeafMap() : Decode(kept, leafIndex);
            stays = younger == 0
                ? leaf.Map ?? new LeafMap()
                : Decode(parts.Store.Get(MapKeys.OldLeaf(Lineage, leafIndex, younger))!, leafIndex);
        }
        catch (CorruptDataException)
        {
            return DropOutcome.Unreadable;
        }

        lock (leaf)
        {
            leaf.IsReplacement |= kept.Length == 0; // Nobody knows what the one had that could not be read.
            GiveBack(leaf, gone, stays, Math.Max(older, Parent?.Generation ?? 0));
            leaf.Changes.Drop(generation);
            if (younger == 0)
            {
                Invariant.Require(leaf.Version.Older == generation);
                leaf.Version = leaf.Version with { Older = older };
            }

            leaf.CountRemoval();
            parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
        }

        return DropOutcome.Dropped;
    }

    // What a version has that the next one has not, and that is not older than itself.
    void GiveBack(Leaf leaf, LeafMap gone, LeafMap stays, long shared)
    {
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
        {
            var (chunk, birth) = (gone.Entries[slot].Chunk, gone.Entries[slot].Birth);
            if (chunk == 0 || birth <= shared || stays.Entries[slot].Chunk == chunk) continue;
            leaf.Changes.RemoveChunk(chunk);
            Interlocked.Decrement(ref allocatedChunks);
            parts.Rules.LetGo(parts.Space, chunk);
        }

        foreach (var (block, place, birth) in gone.ListRedirected())
        {
            var stillThere = stays.IsRedirected(block) && stays.Redirected!.PlaceOf(block) == place;
            if (birth > shared && !stillThere) leaf.Changes.RemoveBlock(place);
        }
    }

    LeafMap Decode(byte[] value, long leafIndex)
    {
        var map = new LeafMap();
        LeafFormat.Read(value, map, parts.Space.ChunkCount, Name, leafIndex);
        return map;
    }
}
