using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What opening a pool after a crash found.</summary>
readonly record struct RecoveryResult(long CheckedBlocks, long UnverifiedBlocks);

/// <summary>
/// Brings checksums and data together below the markers that a crash left: blocks there were being overwritten in place, so
/// whatever lies there is taken as it is and counted. Nothing outside a marker is looked at: a mismatch there is damage.
/// </summary>
/// <remarks>
/// Crash order: flush the data device first, because what is read may only be in its cache: a checksum that became durable for
/// data that did not would turn the next power cut into damage. Then, per marker, new leaves and the marker's end in one batch.
/// A crash at any point leaves markers for all that was not done, and doing it twice changes nothing.
/// </remarks>
static class Recovery
{
    public static async ValueTask<RecoveryResult> RunAsync(
        IBlockDevice device,
        KeyValueStore store,
        PoolOptions options,
        Superblock superblock,
        IReadOnlyList<(VolumeRecord Record, long Chunks)> catalogue)
    {
        var markers = new List<(byte[] Key, ulong Mask)>();
        using (var cursor = store.Scan(KeyRange.Prefix(MapKeys.Markers)))
        {
            while (cursor.MoveNext())
            {
                if (cursor.Value.Length != sizeof(ulong)) throw new CorruptDataException(superblock.Name, 0, "marker: wrong length");
                markers.Add((cursor.Key.ToArray(), BinaryPrimitives.ReadUInt64LittleEndian(cursor.Value)));
            }
        }

        if (markers.Count == 0 || options.Has(PlantedBugs.SkipRecovery)) return default;
        if (!options.Has(PlantedBugs.RecoverWithoutFlush)) await device.FlushAsync();
        long checkedBlocks = 0, unverifiedBlocks = 0;
        var batch = new WriteBatch();
        foreach (var (key, mask) in markers)
        {
            var (lineage, markerGroup) = MapKeys.ReadMarker(key);
            batch.Clear();
            foreach (var (record, _) in catalogue.Where(volume => volume.Record.Lineage == lineage))
            {
                for (var bits = mask; bits != 0; bits &= bits - 1)
                {
                    var leafIndex = (markerGroup * DirtyMarkers.LeavesPerGroup) + BitOperations.TrailingZeroCount(bits);
                    var (found, wrong) = await RecoverLeafAsync(device, store, superblock, record, leafIndex, batch);
                    checkedBlocks += found;
                    unverifiedBlocks += wrong;
                }
            }

            batch.Delete(key);
            await store.WriteAsync(batch, Durability.Sync);
        }

        return new RecoveryResult(checkedBlocks, unverifiedBlocks);
    }

    static async ValueTask<(int Checked, int Unverified)> RecoverLeafAsync(
        IBlockDevice device,
        KeyValueStore store,
        Superblock superblock,
        VolumeRecord record,
        long leafIndex,
        WriteBatch batch)
    {
        var key = new byte[MapKeys.LeafBytes];
        MapKeys.WriteLeaf(key, record.Lineage, leafIndex, record.Generation);
        if (store.Get(key) is not { } value) return default;
        var entries = new ChunkEntry[MapLayout.ChunksPerLeaf];
        var checksums = new uint[MapLayout.BlocksPerLeaf];
        LeafFormat.Read(value, entries, checksums, superblock.ChunkCount, record.Name, leafIndex);
        int checkedBlocks = 0, unverifiedBlocks = 0;
        var buffer = new byte[MapLayout.ChunkBytes];
        for (var slot = 0; slot < entries.Length; slot++)
        {
            var entry = entries[slot];
            if (entry.Valid == 0) continue;
            // From the first to the last valid block in one read.
            var first = BitOperations.TrailingZeroCount(entry.Valid);
            var count = 32 - BitOperations.LeadingZeroCount(entry.Valid) - first;
            var data = buffer.AsMemory(0, count * MapLayout.BlockBytes);
            try
            {
                await device.ReadAsync(new Lba(MapLayout.BlockOffsetBytes(entry.Chunk, first) / device.Geometry.BlockSizeBytes), data);
            }
            catch (BadBlockException)
            {
                continue; // What cannot be read cannot be taken as it is; reading it goes on failing.
            }

            for (var block = first; block < first + count; block++)
            {
                if ((entry.Valid >> block & 1) == 0) continue;
                checkedBlocks++;
                var found = BlockChecksum.Compute(
                    data.Span.Slice((block - first) * MapLayout.BlockBytes, MapLayout.BlockBytes), entry.Chunk, block, entry.Birth);
                ref var checksum = ref checksums[(slot * MapLayout.BlocksPerChunk) + block];
                if (checksum == found) continue;
                checksum = found;
                unverifiedBlocks++;
            }
        }

        if (unverifiedBlocks > 0)
        {
            var target = new byte[LeafFormat.MaxBytes];
            batch.Put(key, target.AsSpan(0, LeafFormat.Write(target, entries, checksums)));
        }

        return (checkedBlocks, unverifiedBlocks);
    }
}
