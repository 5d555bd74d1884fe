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

    public static LeafOccupancy Read(ThinVolume volume, long page)
    {
        var occupancy = new LeafOccupancy(page);
        // Memory before the store: a leaf that leaves the memory in between has been committed, and the scan finds it. Empty ones
        // count as well: a first write may be under way, and whoever deletes or shrinks the volume must wait for it.
        var leaves = volume.Leaves.FindPage(page);
        for (var i = 0; i < leaves.Length; i++)
            if (Volatile.Read(in leaves[i]) is not null) occupancy.exists[i] = true;
        using var cursor = volume.Pool.Store.Scan(KeyRange.Between(
            MapKeys.LeafStart(volume.Lineage, occupancy.first),
            MapKeys.LeafStart(volume.Lineage, occupancy.first + LeafTable.LeavesPerPage)));
        while (cursor.MoveNext()) occupancy.exists[(int)(MapKeys.ReadLeaf(cursor.Key).LeafIndex - occupancy.first)] = true;
        return occupancy;
    }

    public bool Contains(long leafIndex) => exists[(int)(leafIndex - first)];
}
