using System.Buffers.Binary;
using System.Numerics;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Markers as earlier versions wrote them: a bit for each of 64 leaves, for all of its blocks. A pool that such a version left open is
/// carried over when it is opened.
/// </summary>
/// <remarks>
/// Crash order: a group's new markers and the end of its old one are one batch; whatever a crash leaves is carried over next.
/// </remarks>
static class GroupMarkers
{
    public const int LeavesPerGroup = 64;

    public static void CarryOver(KeyValueStore store, MetadataWriter metadata, string pool)
    {
        var groups = new List<(byte[] Key, ulong Mask)>();
        using (var cursor = store.Scan(KeyRange.Prefix(MapKeys.GroupMarkers)))
        {
            while (cursor.MoveNext())
            {
                if (cursor.Key.Length != MapKeys.MarkerBytes || cursor.Value.Length != sizeof(ulong))
                    throw new CorruptDataException(pool, 0, $"marker of 64 MiB: {cursor.Key.Length} and {cursor.Value.Length} bytes");
                groups.Add((cursor.Key.ToArray(), BinaryPrimitives.ReadUInt64LittleEndian(cursor.Value)));
            }
        }

        var all = default(BlockSet);
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++) all[slot] = ushort.MaxValue;
        Span<byte> value = stackalloc byte[MarkerFormat.MaxBytes];
        value = value[..MarkerFormat.Write(value, all)];
        var batch = new WriteBatch();
        foreach (var (key, mask) in groups)
        {
            var (lineage, group) = MapKeys.ReadMarker(key);
            batch.Clear();
            for (var bits = mask; bits != 0; bits &= bits - 1)
                batch.Put(MapKeys.Marker(lineage, (group * LeavesPerGroup) + BitOperations.TrailingZeroCount(bits)), value);
            batch.Delete(key);
            metadata.WriteOrUseReserve(batch, Durability.Sync);
        }
    }
}
