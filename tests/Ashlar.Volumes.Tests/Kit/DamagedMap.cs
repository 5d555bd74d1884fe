using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>Writes a leaf that is none into the store of a closed pool.</summary>
static class DamagedMap
{
    /// <summary>Damages the first leaf of a volume, from one on.</summary>
    /// <returns>Its index; -1 when there is none.</returns>
    /// <param name="disk">The disk.</param>
    /// <param name="volume">Name of the volume.</param>
    /// <param name="fromLeaf">Where to look for one.</param>
    /// <param name="isCut">Whether it is cut off before the end of its header, instead of naming a slot that does not exist.</param>
    public static long DamageLeaf(IFileSystem disk, string volume, long fromLeaf = 0, bool isCut = false)
    {
        using var store = TestPool.OpenStore(disk);
        byte[] key, value;
        using (var cursor = store.Scan(KeyRange.Between(
            MapKeys.LeafStart(LineageOf(store, volume), fromLeaf), MapKeys.LeafStart(LineageOf(store, volume) + 1, 0))))
        {
            if (!cursor.MoveNext()) return -1;
            (key, value) = (cursor.Key.ToArray(), cursor.Value.ToArray());
        }

        value[2] = 200;
        store.Put(key, isCut ? value.AsSpan(0, 3) : value);
        return MapKeys.ReadLeaf(key).LeafIndex;
    }

    static long LineageOf(KeyValueStore store, string volume)
    {
        using var cursor = store.Scan(KeyRange.Prefix(MapKeys.Volumes));
        while (cursor.MoveNext())
        {
            var record = VolumeRecord.Read(cursor.Key, cursor.Value, "test");
            if (record.State != VolumeState.Deleting && record.Name == volume) return record.Lineage;
        }

        throw new InvalidOperationException($"no volume {volume}");
    }
}
