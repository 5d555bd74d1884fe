using System.Collections;
using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>
/// Which leaves of one page (1 GiB of a volume) exist, in memory or in the store: lets requests over large ranges skip what was
/// never written.
/// </summary>
sealed class LeafOccupancy
{
    readonly BitArray exists = new(LeafTable.LeavesPerPage);
    readonly long first;

    LeafOccupancy(long page) => first = page * LeafTable.LeavesPerPage;

    // Where a version of a leaf is kept for snapshots there is one of the head as well, be it empty. So the heads tell of all; of clones,
    // with those that they came from.
    public static LeafOccupancy Read(VolumeDevice volume, long page)
    {
        var occupancy = new LeafOccupancy(page);
        // Memory before the store: a leaf that leaves the memory in between has been committed, and the scan finds it. Empty ones
        // count as well: a first write may be under way, and whoever deletes or shrinks the volume must wait for it.
        var leaves = volume.Leaves.FindPage(page);
        for (var i = 0; i < leaves.Length; i++)
            if (Volatile.Read(in leaves[i]) is not null) occupancy.exists[i] = true;
        foreach (var lineage in volume.Lineages)
        {
            using var cursor = volume.Store.Scan(KeyRange.Between(
                MapKeys.LeafStart(lineage, occupancy.first),
                MapKeys.LeafStart(lineage, occupancy.first + LeafTable.LeavesPerPage)));
            while (cursor.MoveNext()) occupancy.exists[(int)(MapKeys.ReadLeaf(cursor.Key).LeafIndex - occupancy.first)] = true;
        }

        return occupancy;
    }

    /// <summary>The first page, from one on, in which a leaf exists; -1 when there is none. One seek, however far it is.</summary>
    public static long FindNextPage(VolumeDevice volume, long page)
    {
        // Memory before the store, as in Read.
        var inMemory = volume.Leaves.FindNextPage(page);
        if (inMemory == page) return page;
        var next = inMemory;
        foreach (var lineage in volume.Lineages)
        {
            using var cursor = volume.Store.Scan(KeyRange.Between(
                MapKeys.LeafStart(lineage, page * LeafTable.LeavesPerPage),
                MapKeys.LeafStart(lineage + 1, 0)));
            if (!cursor.MoveNext()) continue;
            var inStore = MapKeys.ReadLeaf(cursor.Key).LeafIndex / LeafTable.LeavesPerPage;
            next = next < 0 ? inStore : Math.Min(next, inStore);
        }

        return next;
    }

    /// <summary>
    /// The leaves of a range that may exist, ascending. A short range is not worth a look: each is loaded, which tells as well.
    /// </summary>
    public static IEnumerable<long> Between(VolumeDevice volume, long firstLeaf, long endLeaf)
    {
        const int shortRange = 4;
        if (endLeaf - firstLeaf <= shortRange)
        {
            for (var leaf = firstLeaf; leaf < endLeaf; leaf++) yield return leaf;
            yield break;
        }

        for (var page = FindNextPage(volume, firstLeaf / LeafTable.LeavesPerPage);
             page >= 0 && page * LeafTable.LeavesPerPage < endLeaf;
             page = FindNextPage(volume, page + 1))
        {
            var occupied = Read(volume, page);
            var end = Math.Min(endLeaf, (page + 1) * LeafTable.LeavesPerPage);
            for (var leaf = Math.Max(firstLeaf, page * LeafTable.LeavesPerPage); leaf < end; leaf++)
                if (occupied.Contains(leaf)) yield return leaf;
        }
    }

    public bool Contains(long leafIndex) => exists[(int)(leafIndex - first)];
}
