using System.Numerics;
using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>What deleting snapshots would give back, before they are deleted.</summary>
sealed class SnapshotSpace(KeyValueStore store, long chunkCount, string pool)
{
    /// <summary>Bytes that nothing but some snapshots of a volume needs.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="selected">Generations of the snapshots.</param>
    /// <param name="cancellationToken">Stops between two leaves.</param>
    public long Measure(VolumeDevice volume, IReadOnlySet<long> selected, CancellationToken cancellationToken)
    {
        var remaining = volume.NeededGenerations.Where(each => !selected.Contains(each) || volume.IsCloned(each)).ToArray();
        var shared = volume.Parent?.Generation ?? 0;
        long bytes = 0;
        foreach (var leafIndex in ListLeaves(volume, selected))
        {
            cancellationToken.ThrowIfCancellationRequested();
            bytes += MeasureLeaf(volume.Lineage, leafIndex, remaining, shared);
        }

        return bytes;
    }

    // Leaves of which a version was kept that only these snapshots may need: it was changed after the snapshot before one of them.
    IEnumerable<long> ListLeaves(VolumeDevice volume, IReadOnlySet<long> selected)
    {
        long[] all = [.. volume.NeededGenerations.Order()];
        return new ChangedLeafList(range => store.Scan(range)).Read(
            volume.Lineage,
            all.Index().Where(each => selected.Contains(each.Item)).Select(each => (each.Index == 0 ? 0 : all[each.Index - 1], each.Item)));
    }

    long MeasureLeaf(long lineage, long leafIndex, long[] remaining, long shared)
    {
        var (kept, gone) = (new LeafPlaces(shared), new LeafPlaces(shared));
        var next = long.MaxValue;
        var key = new byte[MapKeys.LeafBytes];
        MapKeys.WriteLeaf(key, lineage, leafIndex);
        if (store.Get(key) is { } head) next = kept.Add(head, chunkCount, pool, leafIndex);
        using var cursor = store.Scan(
            KeyRange.Between(MapKeys.OldLeaf(lineage, leafIndex, -1), MapKeys.OldLeavesEnd(lineage, leafIndex)));
        while (cursor.MoveNext())
        {
            var generation = MapKeys.ReadLeaf(cursor.Key).Generation;
            var isNeeded = Array.Exists(remaining, each => each >= generation && each < next);
            if (!cursor.Value.IsEmpty) (isNeeded ? kept : gone).Add(cursor.Value, chunkCount, pool, leafIndex);
            next = generation;
        }

        return gone.BytesBeyond(kept);
    }

    /// <summary>The places of versions of one leaf.</summary>
    sealed class LeafPlaces(long shared)
    {
        readonly HashSet<long> homes = [];
        readonly HashSet<long> blocks = [];

        public long Add(ReadOnlySpan<byte> value, long chunkCount, string pool, long leafIndex)
        {
            var map = new LeafMap();
            var version = LeafFormat.Read(value, map, chunkCount, pool, leafIndex);
            foreach (var entry in map.Entries)
                if (entry.Chunk != 0 && entry.Birth > shared) homes.Add(entry.Chunk);
            foreach (var (_, place, birth) in map.ListRedirected())
                if (birth > shared) blocks.Add(place);
            return version.Generation;
        }

        public long BytesBeyond(LeafPlaces others) =>
            ((long)homes.Count(each => !others.homes.Contains(each)) * MapLayout.ChunkBytes)
            + ((long)blocks.Count(each => !others.blocks.Contains(each)) * MapLayout.BlockBytes);
    }
}
