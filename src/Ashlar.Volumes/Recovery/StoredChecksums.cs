using Ashlar.Blocks;
using Ashlar.Blocks.Raid;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// What blocks of the RAID set below a pool should hold, as the maps of its volumes, of their snapshots and of what is in the trash said at
/// one moment.
/// </summary>
/// <remarks>
/// What was written since is not what is known here, and is called wrong: whoever mends by it believes nothing else either that does not
/// match. A block of a chunk in use that no map has is nobody's, unless a piece of a map cannot be read. Of metadata nothing is known.
/// </remarks>
sealed class StoredChecksums : IChecksumOracle
{
    readonly PoolPlacement placement;
    readonly ChunkSpace space;
    readonly BlockChecksum checksum;
    readonly HashSet<long> chunks = [];
    readonly Dictionary<long, (uint Checksum, long Birth)> known = [];
    readonly HashSet<long> disputed = [];
    bool isWhole = true;

    StoredChecksums(PoolPlacement placement, ChunkSpace space, BlockChecksum checksum) =>
        (this.placement, this.space, this.checksum) = (placement, space, checksum);

    /// <param name="snapshot">The maps.</param>
    /// <param name="placement">Where the chunks of the pool lie.</param>
    /// <param name="space">Which of them are in use.</param>
    /// <param name="checksum">Its checksums.</param>
    /// <param name="pool">Its name.</param>
    /// <param name="ranges">Blocks of the set that are to be known.</param>
    public static StoredChecksums Read(
        KeyValueSnapshot snapshot,
        PoolPlacement placement,
        ChunkSpace space,
        BlockChecksum checksum,
        string pool,
        IEnumerable<(Lba Start, long BlockCount)> ranges)
    {
        var read = new StoredChecksums(placement, space, checksum);
        foreach (var (start, count) in ranges)
        {
            for (var chunk = start.Value / MapLayout.BlocksPerChunk; chunk * MapLayout.BlocksPerChunk < start.Value + count; chunk++)
                if (read.PoolChunkOf(chunk) is { } found) read.chunks.Add(found);
        }

        using (var heads = snapshot.Scan(KeyRange.Prefix(MapKeys.Leaves)))
        {
            while (heads.MoveNext())
            {
                var (lineage, index, _) = MapKeys.ReadLeaf(heads.Key);
                read.Add(heads.Value, snapshot.Get(MapKeys.Delta(lineage, index)), pool, index);
            }
        }

        using var kept = snapshot.Scan(KeyRange.Prefix(MapKeys.OldLeaves));
        while (kept.MoveNext()) read.Add(kept.Value, delta: null, pool, MapKeys.ReadLeaf(kept.Key).LeafIndex);
        return read;
    }

    /// <inheritdoc />
    public bool? IsRight(Lba block, ReadOnlySpan<byte> content)
    {
        if (content.Length != MapLayout.BlockBytes) return null;
        if (PoolChunkOf(block.Value / MapLayout.BlocksPerChunk) is not { } chunk) return null;
        if (!space.IsAnyTaken(chunk, 1)) return true;
        var place = (chunk * MapLayout.BlocksPerChunk) + (block.Value % MapLayout.BlocksPerChunk);
        if (!chunks.Contains(chunk) || disputed.Contains(place)) return null;
        if (known.TryGetValue(place, out var expected))
            return checksum.Compute(content, place, expected.Birth) == expected.Checksum;
        return isWhole ? true : null;
    }

    void Add(ReadOnlySpan<byte> value, byte[]? delta, string pool, long index)
    {
        var map = new LeafMap();
        try
        {
            ReadOnlySpan<byte> whole = delta is null ? value : LeafDelta.Merge(value, delta, pool, index);
            LeafFormat.Read(whole, map, space.ChunkCount, pool, index);
        }
        catch (AshlarException)
        {
            isWhole = false;
            return;
        }

        for (var block = 0; block < MapLayout.BlocksPerLeaf; block++)
        {
            if (!map.IsValid(block)) continue;
            var (place, birth) = map.PlaceOf(block);
            if (!chunks.Contains(place / MapLayout.BlocksPerChunk)) continue;
            var says = (map.Checksums[block], birth);
            if (!known.TryAdd(place, says) && known[place] != says) disputed.Add(place);
        }
    }

    // Null for what is no data: superblocks, metadata, and what the pool has not grown over.
    long? PoolChunkOf(long chunk)
    {
        var (at, poolChunk) = ((long)MapLayout.ReservedChunks, (long)MapLayout.ReservedChunks);
        foreach (var (metadata, data) in placement.Segments)
        {
            at += metadata;
            if (chunk < at) return null;
            if (chunk < at + data) return poolChunk + chunk - at;
            at += data;
            poolChunk += data;
        }

        return null;
    }
}
