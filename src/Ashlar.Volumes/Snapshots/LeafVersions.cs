using System.Collections.Concurrent;
using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>Finds the leaf that a snapshot sees.</summary>
sealed class LeafVersions
{
    readonly Func<byte[], byte[], (byte[]? Whole, byte[]? Delta)> getBoth;
    readonly Func<KeyRange, ScanDirection, KeyValueCursor> scan;
    readonly string pool;

    /// <summary>In the store as it is.</summary>
    public LeafVersions(KeyValueStore store, string pool)
    {
        (scan, this.pool) = (store.Scan, pool);
        getBoth = (whole, delta) =>
        {
            // Of one moment: between two reads one could be written without the other.
            using var snapshot = store.CreateSnapshot();
            return (snapshot.Get(whole), snapshot.Get(delta));
        };
    }

    /// <summary>In the store as it was at one moment.</summary>
    public LeafVersions(KeyValueSnapshot snapshot, string pool) =>
        (scan, this.pool, getBoth) = (snapshot.Scan, pool, (whole, delta) => (snapshot.Get(whole), snapshot.Get(delta)));

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
        var (whole, delta) = GetHead(lineage, leafIndex);
        if (whole is not null && LeafFormat.ReadVersion(whole, pool, leafIndex).Generation <= generation)
            return delta is null ? whole : LeafDelta.Merge(whole, delta, pool, leafIndex);
        using var cursor = scan(
            KeyRange.Between(MapKeys.OldLeaf(lineage, leafIndex, generation), MapKeys.OldLeavesEnd(lineage, leafIndex)),
            ScanDirection.Forward);
        return cursor.MoveNext() ? cursor.Value.ToArray() : null;
    }

    /// <summary>The leaf of the head as the store has it, with what has changed since it was written as a whole.</summary>
    /// <exception cref="Storage.CorruptDataException">It cannot be read.</exception>
    public byte[]? FindHead(long lineage, long leafIndex, out bool hasDelta)
    {
        var (whole, delta) = GetHead(lineage, leafIndex);
        hasDelta = delta is not null;
        return whole is null || delta is null ? whole : LeafDelta.Merge(whole, delta, pool, leafIndex);
    }

    (byte[]? Whole, byte[]? Delta) GetHead(long lineage, long leafIndex)
    {
        var key = new byte[MapKeys.LeafBytes];
        MapKeys.WriteLeaf(key, lineage, leafIndex);
        return getBoth(key, MapKeys.Delta(lineage, leafIndex));
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
