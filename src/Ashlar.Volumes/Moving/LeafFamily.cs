using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// One leaf of volumes that come from each other, with everything that may name its places: the heads, and what snapshots keep of them. A
/// place belongs to one leaf of one volume, and clones have it at the same place of theirs; so these are all.
/// </summary>
sealed class LeafFamily(PoolParts parts, long leafIndex, IReadOnlyList<long> lineages) : IDisposable
{
    readonly List<Leaf> locked = [];

    public long LeafIndex => leafIndex;

    /// <summary>Under which numbers its versions are kept.</summary>
    public IReadOnlyList<long> Lineages => lineages;

    /// <summary>Those of which places are moved now; all others get the new names of what they share.</summary>
    public HashSet<long> Wanted { get; } = [];

    /// <summary>What becomes of its places.</summary>
    public MovedPlaces Moved { get; } = new();

    /// <summary>The heads in memory, whose locks are held.</summary>
    public IReadOnlyList<Leaf> Locked => locked;

    /// <summary>All versions as the store has them.</summary>
    public List<StoredLeaf> Versions { get; } = [];

    /// <summary>Takes the locks: nobody changes any of it, and nobody loads what is in the store, until this is disposed of.</summary>
    /// <param name="find">Finds volumes by lineage; what it does not find has no memory.</param>
    public void Lock(Func<long, VolumeDevice?> find)
    {
        foreach (var lineage in lineages)
        {
            if (find(lineage) is not { } volume) continue;
            var leaf = parts.Cache.Acquire(volume, leafIndex);
            locked.Add(leaf);
            Blocking.Wait(leaf.WriteLock.EnterAsync());
        }
    }

    /// <summary>Reads all versions. Within the turn of commits, when nothing of the leaves waits for one.</summary>
    /// <exception cref="CorruptDataException">One cannot be read: nobody knows what it has.</exception>
    public void ReadVersions()
    {
        foreach (var leaf in locked)
        {
            if (leaf.Damage is not null) throw leaf.Damage;
            Invariant.Require(!leaf.Changes.HasPlaces && leaf.Changes.Frozen.Count + leaf.Changes.Dropped.Count == 0);
        }

        foreach (var lineage in lineages)
        {
            if (parts.Versions.FindHead(lineage, leafIndex, out var hasDelta) is { } head)
            {
                var key = new byte[MapKeys.LeafBytes];
                MapKeys.WriteLeaf(key, lineage, leafIndex);
                Add(key, lineage, head, hasDelta);
            }

            using var cursor = parts.Store.Scan(
                KeyRange.Between(MapKeys.OldLeaf(lineage, leafIndex, -1), MapKeys.OldLeavesEnd(lineage, leafIndex)));
            while (cursor.MoveNext())
                if (!cursor.Value.IsEmpty) Add(cursor.Key.ToArray(), lineage, cursor.Value, hasDelta: false);
        }
    }

    /// <summary>The volume that owns places under a number, if it is there for anybody; those of others are not to be moved.</summary>
    public VolumeDevice? FindOwner(long lineage) =>
        locked.Find(leaf => leaf.Volume.Lineage == lineage)?.Volume is { IsBeingDeleted: false } owner ? owner : null;

    public void Dispose()
    {
        foreach (var leaf in locked)
        {
            leaf.WriteLock.Exit();
            leaf.Unpin();
        }

        locked.Clear();
    }

    void Add(byte[] key, long lineage, ReadOnlySpan<byte> value, bool hasDelta)
    {
        var map = new LeafMap();
        var version = LeafFormat.Read(value, map, parts.Space.ChunkCount, parts.Name, leafIndex);
        Versions.Add(new StoredLeaf(key, lineage, version, map, hasDelta));
    }
}

/// <summary>A version of a leaf in the store.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Lineage">Under which number the volume keeps its leaves.</param>
/// <param name="Version">Of which time it is.</param>
/// <param name="Map">What it says.</param>
/// <param name="HasDelta">Whether some of that is beside it, and must go when it is written anew.</param>
sealed record StoredLeaf(byte[] Key, long Lineage, LeafVersion Version, LeafMap Map, bool HasDelta);
