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
    readonly LeafVersions versions;
    readonly string pool;
    readonly long chunkCount;
    readonly Dictionary<Guid, VolumeRecord> records = [];

    internal MapView(KeyValueSnapshot snapshot, string pool, long chunkCount)
    {
        (this.snapshot, this.pool, this.chunkCount) = (snapshot, pool, chunkCount);
        versions = new LeafVersions(snapshot, pool);
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
        return ReadRuns(records[volume.Id], fromBlock, onDamage);
    }

    /// <summary>What of a volume has changed since a snapshot of it: was written, discarded, or added at its end. Ascending.</summary>
    /// <param name="volume">One of <see cref="Volumes"/>.</param>
    /// <param name="since">Name of the snapshot.</param>
    /// <exception cref="SnapshotException">There is none of that name.</exception>
    /// <exception cref="CorruptDataException">A piece of the map cannot be read.</exception>
    public IEnumerable<ChangedExtent> ReadChanges(VolumeInfo volume, string since)
    {
        ArgumentNullException.ThrowIfNull(volume);
        var record = records[volume.Id];
        var found = ReadSnapshots(record.Lineage).Find(each => each.Name == since && each.State == SnapshotState.Ready)
            ?? throw new SnapshotException(record.Name, since, SnapshotProblem.Unknown, "there is no such snapshot");
        for (var lineage = record.Lineage; FindParent(lineage) is { } parent; lineage = parent.Lineage) versions.Parents[lineage] = parent;
        return new SnapshotDiff(range => snapshot.Scan(range), versions, () => chunkCount, pool)
            .FindUntilNow(record.Lineage, found.Generation, volume.SizeBytes);
    }

    /// <summary>How scattered a volume lies.</summary>
    /// <param name="volume">One of <see cref="Volumes"/>.</param>
    /// <param name="mostBytes">So much of its data is looked at.</param>
    public VolumeFragmentation MeasureFragmentation(VolumeInfo volume, long mostBytes = long.MaxValue)
    {
        long data = 0, pieces = 0, scattered = 0, piece = 0, end = -1, place = -1;
        var isAlone = true; // Whether the piece is all of its range of the volume.
        foreach (var run in ReadRuns(volume))
        {
            if (!run.HoldsData) continue;
            if (data >= mostBytes) return new(data, pieces, scattered, IsWhole: false);
            var bytes = run.BlockCount * MapLayout.BlockBytes;
            var follows = run.FirstBlock == end;
            data += bytes;
            if (follows && run.PlaceBytes == place)
            {
                piece += bytes;
            }
            else
            {
                EndPiece(isAlone && !follows);
                (piece, isAlone) = (bytes, !follows);
                pieces++;
            }

            (end, place) = (run.FirstBlock + run.BlockCount, run.PlaceBytes + bytes);
        }

        EndPiece(isAlone);
        return new(data, pieces, scattered, IsWhole: true);

        void EndPiece(bool isWholeRange)
        {
            if (piece > 0 && piece < MapLayout.LeafBytes && !isWholeRange) scattered += piece;
        }
    }

    /// <summary>The snapshots of a volume, oldest first; without those that were deleted and that clones need.</summary>
    /// <param name="volume">One of <see cref="Volumes"/>.</param>
    public IReadOnlyList<SnapshotInfo> ListSnapshots(VolumeInfo volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        return
        [
            .. ReadSnapshots(records[volume.Id].Lineage).Where(each => each.State == SnapshotState.Ready).Select(each => new SnapshotInfo(
                each.Id, volume.Id, each.Name, each.SizeBytes, each.BlockSizeBytes, each.CreatedAt, each.Generation)),
        ];
    }

    /// <summary>The snapshot that a volume is a clone of; null when it is none.</summary>
    /// <param name="volume">One of <see cref="Volumes"/>.</param>
    public Guid? FindOrigin(VolumeInfo volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        return FindParent(records[volume.Id].Lineage) is { } parent
            && snapshot.Get(MapKeys.Snapshot(parent.Lineage, parent.Generation)) is { } value
            ? SnapshotRecord.Read(MapKeys.Snapshot(parent.Lineage, parent.Generation), value, pool).Id
            : null;
    }

    /// <inheritdoc />
    public void Dispose() => snapshot.Dispose();

    IEnumerable<BlockRun> ReadRuns(VolumeRecord volume, long fromBlock, Action<CorruptDataException>? onDamage)
    {
        // What lies beyond the end does not count while a volume is being resized.
        var end = (volume.SizeBytes + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes;
        // What was taken up to then, a snapshot needs as well: one of the volume, or the one that it came from.
        var newest = ReadSnapshots(volume.Lineage).Select(each => each.Generation)
            .Append(FindParent(volume.Lineage)?.Generation ?? 0).Max();
        var runs = new List<BlockRun>();
        BlockRun? open = null;
        foreach (var (leaf, value, isOwn) in ReadLeaves(volume.Lineage, fromBlock / MapLayout.BlocksPerLeaf, onDamage))
        {
            if (leaf * MapLayout.BlocksPerLeaf >= end) break;
            runs.Clear();
            ReadLeaf(leaf, value, isOwn ? newest : long.MaxValue, runs, onDamage);
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

    // Those of the volume itself in one go; a clone has others of the snapshot that it came from, where it has none of its own.
    IEnumerable<(long Leaf, byte[] Value, bool IsOwn)> ReadLeaves(long lineage, long fromLeaf, Action<CorruptDataException>? onDamage)
    {
        if (FindParent(lineage) is null)
        {
            using var cursor = snapshot.Scan(KeyRange.Between(MapKeys.LeafStart(lineage, fromLeaf), MapKeys.LeafStart(lineage + 1, 0)));
            while (cursor.MoveNext()) yield return (MapKeys.ReadLeaf(cursor.Key).LeafIndex, cursor.Value.ToArray(), true);
            yield break;
        }

        List<long> chain = [lineage];
        while (FindParent(chain[^1]) is { } parent)
        {
            versions.Parents[chain[^1]] = parent;
            chain.Add(parent.Lineage);
        }

        for (var leaf = FindNext(chain, fromLeaf); leaf >= 0; leaf = FindNext(chain, leaf + 1))
            if (FindNewest(lineage, leaf, onDamage, out var owner) is { } value) yield return (leaf, value, owner == lineage);
    }

    long FindNext(List<long> chain, long leaf)
    {
        long next = -1;
        foreach (var lineage in chain)
        {
            Look(KeyRange.Between(MapKeys.LeafStart(lineage, leaf), MapKeys.LeafStart(lineage + 1, 0)));
            Look(KeyRange.Between(MapKeys.OldLeaf(lineage, leaf, -1), MapKeys.OldLeaf(lineage + 1, 0, -1)));
        }
        return next;

        void Look(KeyRange range)
        {
            using var cursor = snapshot.Scan(range);
            if (cursor.MoveNext() && MapKeys.ReadLeaf(cursor.Key).LeafIndex is var found && (next < 0 || found < next)) next = found;
        }
    }

    // What cannot be read is left out: it hides what lies behind it.
    byte[]? FindNewest(long lineage, long leaf, Action<CorruptDataException>? onDamage, out long owner)
    {
        try
        {
            return versions.Find(lineage, leaf, long.MaxValue, out owner);
        }
        catch (CorruptDataException damage)
        {
            onDamage?.Invoke(damage);
            owner = lineage;
            return null;
        }
    }

    void ReadLeaf(long leaf, ReadOnlySpan<byte> value, long newest, List<BlockRun> runs, Action<CorruptDataException>? onDamage)
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
            var (place, birth) = map.PlaceOf(block);
            if (place == 0) continue;
            var holdsData = map.IsValid(block);
            var run = new BlockRun((leaf * MapLayout.BlocksPerLeaf) + block, 1, place * MapLayout.BlockBytes, holdsData)
            {
                IsShared = holdsData && birth <= newest,
            };
            if (runs.Count > 0 && Follows(runs[^1], run))
                CollectionsMarshal.AsSpan(runs)[^1] = runs[^1] with { BlockCount = runs[^1].BlockCount + 1 };
            else runs.Add(run);
        }
    }

    static bool Follows(BlockRun before, BlockRun run) =>
        before.HoldsData == run.HoldsData
        && before.IsShared == run.IsShared
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

    VolumeParent? FindParent(long lineage) =>
        snapshot.Get(MapKeys.Parent(lineage)) is { } value ? VolumeParent.Read(value, pool) : null;

    List<SnapshotRecord> ReadSnapshots(long lineage)
    {
        var found = new List<SnapshotRecord>();
        using var cursor = snapshot.Scan(KeyRange.Between(MapKeys.Snapshot(lineage, 0), MapKeys.Snapshot(lineage + 1, 0)));
        while (cursor.MoveNext()) found.Add(SnapshotRecord.Read(cursor.Key, cursor.Value, pool));
        return found;
    }

    List<VolumeInfo> ReadVolumes()
    {
        var volumes = new List<VolumeInfo>();
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Volumes));
        while (cursor.MoveNext())
        {
            var record = VolumeRecord.Read(cursor.Key, cursor.Value, pool);
            if (record.State == VolumeState.Deleting || record.IsBeingCreated || record.Trashed is not null) continue;
            records.Add(record.Id, record);
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
