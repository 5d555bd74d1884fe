using System.Collections.Concurrent;
using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>Finds the leaf that a snapshot sees.</summary>
sealed class LeafVersions
{
    readonly Func<byte[], byte[]?> get;
    readonly Func<KeyRange, ScanDirection, KeyValueCursor> scan;
    readonly string pool;

    /// <summary>In the store as it is.</summary>
    public LeafVersions(KeyValueStore store, string pool) => (get, scan, this.pool) = (key => store.Get(key), store.Scan, pool);

    /// <summary>In the store as it was at one moment.</summary>
    public LeafVersions(KeyValueSnapshot snapshot, string pool) =>
        (get, scan, this.pool) = (key => snapshot.Get(key), snapshot.Scan, pool);

    /// <summary>Which volumes are clones, and of what; by lineage.</summary>
    public ConcurrentDictionary<long, VolumeParent> Parents { get; } = new();

    /// <summary>The leaf as it was in a generation, encoded; null when nothing was mapped. The newest one has the greatest.</summary>
    /// <param name="lineage">Number under which the leaves of the volume are kept.</param>
    /// <param name="leafIndex">The leaf.</param>
    /// <param name="generation">The generation.</param>
    /// <param name="owner">Lineage of the volume that the leaf was found with: this one, or one that it came from.</param>
    public byte[]? Find(long lineage, long leafIndex, long generation, out long owner)
    {
        for (owner = lineage; ;)
        {
            if (FindOwn(owner, leafIndex, generation) is { } value) return value;
            if (!Parents.TryGetValue(owner, out var parent)) return null;
            (owner, generation) = (parent.Lineage, parent.Generation);
        }
    }

    /// <summary>The same, of what the volume has itself.</summary>
    public byte[]? FindOwn(long lineage, long leafIndex, long generation)
    {
        // The head before the kept ones: one batch keeps the old head and writes the new one. The other way round both could be missed.
        var key = new byte[MapKeys.LeafBytes];
        MapKeys.WriteLeaf(key, lineage, leafIndex);
        if (get(key) is { } head && LeafFormat.ReadVersion(head, pool, leafIndex).Generation <= generation) return head;
        using var cursor = scan(
            KeyRange.Between(MapKeys.OldLeaf(lineage, leafIndex, generation), MapKeys.OldLeavesEnd(lineage, leafIndex)),
            ScanDirection.Forward);
        return cursor.MoveNext() ? cursor.Value.ToArray() : null;
    }

    /// <summary>Generation of the newest version of a leaf that is kept beside the head; 0 when there is none.</summary>
    public long FindNewestKept(long lineage, long leafIndex)
    {
        using var cursor = scan(
            KeyRange.Between(MapKeys.OldLeaf(lineage, leafIndex, -1), MapKeys.OldLeavesEnd(lineage, leafIndex)), ScanDirection.Forward);
        return cursor.MoveNext() ? MapKeys.ReadLeaf(cursor.Key).Generation : 0;
    }

    /// <summary>The kept versions on either side of one: generations, 0 where there is none.</summary>
    public (long Older, long Younger) FindNeighbours(long lineage, long leafIndex, long generation)
    {
        long older = 0, younger = 0;
        using (var cursor = scan(
            KeyRange.Between(MapKeys.OldLeaf(lineage, leafIndex, generation - 1), MapKeys.OldLeavesEnd(lineage, leafIndex)),
            ScanDirection.Forward))
            if (cursor.MoveNext()) older = MapKeys.ReadLeaf(cursor.Key).Generation;
        using (var cursor = scan(
            KeyRange.Between(MapKeys.OldLeaf(lineage, leafIndex, -1), MapKeys.OldLeaf(lineage, leafIndex, generation)),
            ScanDirection.Backward))
            if (cursor.MoveNext()) younger = MapKeys.ReadLeaf(cursor.Key).Generation;
        return (older, younger);
    }
}
