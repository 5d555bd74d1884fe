using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// What a change of a leaf begins with, and what becomes of the places that it lets go of.
//
// A place belongs to the head alone if it was taken after the newest version of its leaf that a snapshot keeps. Only such a place is
// overwritten, and only such a one is given back when the head lets go of it. The others belong to that version, and go with it.
sealed partial class VolumeDevice
{
    /// <summary>
    /// Call under the write lock, before anything of the leaf changes in memory. The first time after a snapshot the leaf is kept as it
    /// is, to be written with the next capture: whoever deletes the snapshot finds it there.
    /// </summary>
    void BeginChange(Leaf leaf)
    {
        Invariant.Require(leaf.WriteLock.IsHeld && AsOf is null);
        // This order: a cut publishes the snapshot first.
        var current = parts.Generation.Current;
        if (leaf.Version.Generation == current) return;
        var newest = NewestBefore(current);
        lock (leaf)
        {
            var (generation, older) = leaf.Version;
            if (leaf.Damage is not null) older = newest == 0 ? 0 : parts.Versions.FindNewestKept(Lineage, leaf.Index);
            else if (parts.Rules.MustFreeze(generation, newest) && (leaf.Map is { IsEmpty: false } || older > 0 || Parent is not null))
                older = Freeze(leaf, leaf.Version);
            leaf.Version = new LeafVersion(current, older);
            if (leaf.Changes.Frozen.Count > 0) parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
        }
    }

    /// <summary>Up to which generation the places of a leaf are not the head's alone.</summary>
    long SharedThrough(Leaf leaf) => Math.Max(leaf.Version.Older, Parent?.Generation ?? 0);

    /// <summary>The same, when it will have been changed.</summary>
    long SharedThroughIfChanged(Leaf leaf)
    {
        var (generation, older) = leaf.Version;
        return Math.Max(generation <= NewestSnapshot ? generation : older, Parent?.Generation ?? 0);
    }

    // The same, of what snapshots need now.
    long SharedThroughNeeded(Leaf leaf)
    {
        var (generation, older) = leaf.Version;
        var isNeeded = NeededGenerations.Any(each => each >= older && each < generation);
        return Math.Max(generation <= NewestSnapshot ? generation : isNeeded ? older : 0, Parent?.Generation ?? 0);
    }

    static long Freeze(Leaf leaf, LeafVersion version)
    {
        Span<byte> value = stackalloc byte[LeafFormat.MaxBytes];
        var length = leaf.Map is null ? 0 : LeafFormat.Write(value, leaf.Map, version);
        if (length == 0) length = LeafFormat.WriteEmpty(value, version);
        leaf.Changes.Freeze(new FrozenLeaf(version.Generation, value[..length].ToArray()));
        return version.Generation;
    }

    // What takes the place of a leaf that cannot be read must not look like a hole to snapshots that could not read it either. Call under
    // the lock, after the change has begun.
    void FreezeDamaged(Leaf leaf)
    {
        var (generation, older) = leaf.Version;
        if (older >= NewestBefore(generation)) return;
        leaf.Changes.Freeze(new FrozenLeaf(older + 1, []));
        leaf.Version = new LeafVersion(generation, older + 1);
    }

    // Call under the lock.
    void DropHome(Leaf leaf, ref ChunkEntry entry)
    {
        var (chunk, birth) = (entry.Chunk, entry.Birth);
        Invariant.Require(chunk != 0 && entry.AtHome == 0);
        entry.Moved((ushort)~entry.Redirected);
        (entry.Chunk, entry.Birth, entry.IsKept, entry.LacksRoom) = (0, 0, false, false);
        entry.ForgetHome();
        leaf.CountRemoval();
        if (birth <= SharedThrough(leaf)) return;
        leaf.Changes.RemoveChunk(chunk);
        Interlocked.Decrement(ref allocatedChunks);
        parts.Rules.LetGo(parts.Space, chunk);
    }

    // Call under the lock.
    void DropRedirected(Leaf leaf, int slot, ushort blocks)
    {
        ref var entry = ref leaf.Entries[slot];
        var dropped = (ushort)(entry.Redirected & blocks);
        if (dropped == 0) return;
        var shared = SharedThrough(leaf);
        var redirected = leaf.Map!.Redirected!;
        for (var bits = (uint)dropped; bits != 0; bits &= bits - 1)
        {
            var block = (slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(bits);
            if (redirected.BirthOf(block) > shared) leaf.Changes.RemoveBlock(redirected.PlaceOf(block));
        }

        entry.Moved(dropped);
        entry.Redirected &= (ushort)~dropped;
        entry.Valid &= (ushort)~dropped;
        leaf.CountRemoval();
    }

    // A home that no block of the head lies at is of no use to it if it may not write there. Call under the lock.
    void DropUselessHome(Leaf leaf, ref ChunkEntry entry)
    {
        if (entry.Chunk != 0 && entry.AtHome == 0 && !entry.IsKept && entry.Birth <= SharedThrough(leaf)) DropHome(leaf, ref entry);
    }
}
