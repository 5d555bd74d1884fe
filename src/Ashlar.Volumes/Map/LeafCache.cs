using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Loads leaves from the store and keeps them within a bound of memory: a clock hand passes over all leaves and drops those
/// that were not used since it last came by. Leaves in use, or not committed, are pinned and stay.
/// </summary>
sealed class LeafCache(KeyValueStore store, long capacityBytes)
{
    readonly Lock ringGate = new();
    readonly List<Leaf> ring = [];
    readonly Lock[] loading = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];
    int hand;
    long usedBytes;

    /// <summary>Whether leaves that cannot be dropped would take more than half of the memory.</summary>
    public int MaxDirtyLeaves { get; } = (int)Math.Clamp(capacityBytes / 2 / Leaf.FullBytes, 16, int.MaxValue);

    public long UsedBytes => Interlocked.Read(ref usedBytes);

    /// <summary>The leaf, pinned.</summary>
    public Leaf Acquire(ThinVolume volume, long index)
    {
        var leaf = volume.Leaves.Find(index);
        if (leaf is null || !leaf.TryPin()) leaf = Load(volume, index);
        if (!leaf.IsReferenced) leaf.IsReferenced = true;
        return leaf;
    }

    /// <summary>Counts memory that a leaf took after it was loaded.</summary>
    public void Grew()
    {
        lock (ringGate) usedBytes += Leaf.FullBytes - Leaf.EmptyBytes;
    }

    /// <summary>Forgets the leaves of a volume that is gone.</summary>
    public void Drop(ThinVolume volume)
    {
        lock (ringGate)
            for (var i = ring.Count - 1; i >= 0; i--)
                if (ring[i].Volume == volume && ring[i].TryKill()) Forget(ring[i]);
    }

    // The lock is held from the look-up to the installation: otherwise a slow loader could install what another loaded,
    // changed, committed and dropped meanwhile, and undo the change.
    Leaf Load(ThinVolume volume, long index)
    {
        Leaf leaf;
        lock (loading[(int)((ulong)(index + volume.Lineage) % (ulong)loading.Length)])
        {
            if (volume.Leaves.Find(index) is { } found && found.TryPin()) return found;
            leaf = Read(volume, index);
            volume.Leaves.Set(index, leaf);
        }

        lock (ringGate)
        {
            leaf.CachePosition = ring.Count;
            ring.Add(leaf);
            usedBytes += leaf.HasEntries ? Leaf.FullBytes : Leaf.EmptyBytes;
            Shrink();
        }

        return leaf;
    }

    Leaf Read(ThinVolume volume, long index)
    {
        Span<byte> key = stackalloc byte[MapKeys.LeafBytes];
        MapKeys.WriteLeaf(key, volume.Lineage, index, volume.Generation);
        var leaf = new Leaf(volume, index);
        if (store.Get(key) is { } value)
        {
            leaf.EnsureEntries();
            LeafFormat.Read(value, leaf.Entries, leaf.Checksums, volume.Pool.Space.ChunkCount, volume.Name, index);
        }

        return leaf;
    }

    void Shrink()
    {
        for (var steps = 0; usedBytes > capacityBytes && ring.Count > 0 && steps < 64; steps++)
        {
            if (hand >= ring.Count) hand = 0;
            var leaf = ring[hand];
            if (leaf.IsReferenced)
            {
                leaf.IsReferenced = false;
                hand++;
            }
            else if (leaf.TryKill())
            {
                Forget(leaf);
            }
            else
            {
                hand++;
            }
        }
    }

    void Forget(Leaf leaf)
    {
        Invariant.Require(leaf.Dirt == LeafDirt.None);
        leaf.Volume.Leaves.Remove(leaf);
        usedBytes -= leaf.HasEntries ? Leaf.FullBytes : Leaf.EmptyBytes;
        var last = ring[^1];
        ring[leaf.CachePosition] = last;
        last.CachePosition = leaf.CachePosition;
        ring.RemoveAt(ring.Count - 1);
    }
}
