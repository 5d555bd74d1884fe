using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// The volumes of a pool and their maps as they were at one moment. Reading it takes no lock, no more memory for more volumes, and nothing
/// from the map in memory; the store keeps what it replaces for as long as it is open.
/// </summary>
public sealed class MapView : IDisposable
{
    readonly KeyValueSnapshot snapshot;
    readonly string pool;
    readonly long chunkCount;
    readonly Dictionary<Guid, long> lineages = [];

    internal MapView(KeyValueSnapshot snapshot, string pool, long chunkCount)
    {
        (this.snapshot, this.pool, this.chunkCount) = (snapshot, pool, chunkCount);
        Volumes = ReadVolumes();
    }

    /// <summary>The volumes, by name; those in the trash are not among them.</summary>
    public IReadOnlyList<VolumeInfo> Volumes { get; }

    /// <summary>The mapped blocks of a volume, in order; neighbours in the volume and on the device are one run.</summary>
    /// <param name="volume">One of <see cref="Volumes"/>.</param>
    /// <param name="fromBlock">Where to begin.</param>
    /// <param name="onDamage">Gets each piece of the map that cannot be read; its blocks are left out.</param>
    public IEnumerable<BlockRun> ReadRuns(VolumeInfo volume, long fromBlock = 0, Action<CorruptDataException>? onDamage = null)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentOutOfRangeException.ThrowIfNegative(fromBlock);
        return ReadRuns(lineages[volume.Id], volume.SizeBytes, fromBlock, onDamage);
    }

    /// <inheritdoc />
    public void Dispose() => snapshot.Dispose();

    IEnumerable<BlockRun> ReadRuns(long lineage, long sizeBytes, long fromBlock, Action<CorruptDataException>? onDamage)
    {
        // What lies beyond the end does not count while a volume is being resized.
        var end = (sizeBytes + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes;
        using var cursor = snapshot.Scan(KeyRange.Between(
            MapKeys.LeafStart(lineage, fromBlock / MapLayout.BlocksPerLeaf), MapKeys.LeafStart(lineage + 1, 0)));
        var runs = new List<BlockRun>();
        BlockRun? open = null;
        while (cursor.MoveNext())
        {
            var (_, leaf, _) = MapKeys.ReadLeaf(cursor.Key);
            if (leaf * MapLayout.BlocksPerLeaf >= end) break;
            runs.Clear();
            ReadLeaf(leaf, cursor.Value, runs, onDamage);
            foreach (var run in runs)
            {
                if (Cut(run, fromBlock, end) is not { } cut) continue;
                if (open is { } before && Follows(before, cut))
                {
                    open = before with { BlockCount = before.BlockCount + cut.BlockCount };
                    continue;
                }
                if (open is { } done) yield return done;
                open = cut;
            }
        }
        if (open is { } one) yield return one;
    }

    void ReadLeaf(long leaf, ReadOnlySpan<byte> value, List<BlockRun> runs, Action<CorruptDataException>? onDamage)
    {
        var map = new LeafMap();
        try
        {
            LeafFormat.Read(value, map, chunkCount, pool, leaf);
        }
        catch (CorruptDataException damage)
        {
            onDamage?.Invoke(damage);
            return;
        }
        for (var block = 0; block < MapLayout.BlocksPerLeaf; block++)
        {
            var (place, _) = map.PlaceOf(block);
            if (place == 0) continue;
            var run = new BlockRun((leaf * MapLayout.BlocksPerLeaf) + block, 1, place * MapLayout.BlockBytes, map.IsValid(block));
            if (runs.Count > 0 && Follows(runs[^1], run))
                CollectionsMarshal.AsSpan(runs)[^1] = runs[^1] with { BlockCount = runs[^1].BlockCount + 1 };
            else runs.Add(run);
        }
    }

    static bool Follows(BlockRun before, BlockRun run) =>
        before.HoldsData == run.HoldsData
        && before.FirstBlock + before.BlockCount == run.FirstBlock
        && before.PlaceBytes + (before.BlockCount * MapLayout.BlockBytes) == run.PlaceBytes;

    static BlockRun? Cut(BlockRun run, long from, long end)
    {
        var (first, after) = (Math.Max(run.FirstBlock, from), Math.Min(run.FirstBlock + run.BlockCount, end));
        if (first >= after) return null;
        return run with
        {
            FirstBlock = first,
            BlockCount = after - first,
            PlaceBytes = run.PlaceBytes + ((first - run.FirstBlock) * MapLayout.BlockBytes),
        };
    }

    List<VolumeInfo> ReadVolumes()
    {
        var volumes = new List<VolumeInfo>();
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Volumes));
        while (cursor.MoveNext())
        {
            var record = VolumeRecord.Read(cursor.Key, cursor.Value, pool);
            if (record.State == VolumeState.Deleting || record.IsBeingCreated || record.Trashed is not null) continue;
            lineages.Add(record.Id, record.Lineage);
            var chunks = snapshot.Get(MapKeys.Usage(record.Lineage)) is { Length: sizeof(long) } usage
                ? BinaryPrimitives.ReadInt64LittleEndian(usage)
                : 0;
            var allocatedBytes = chunks * MapLayout.ChunkBytes;
            volumes.Add(new(record.Id, record.Name, record.SizeBytes, record.BlockSizeBytes, allocatedBytes, record.CreatedAt)
            {
                IsThick = record.IsThick,
                Limits = record.Limits,
                Attributes = record.Attributes,
            });
        }
        volumes.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return volumes;
    }
}
