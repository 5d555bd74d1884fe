using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    const int MaxProblems = 1000;

    /// <summary>
    /// Commits, then walks all leaves and compares them with free space and usage: no chunk leaked, none owned twice. With
    /// <paramref name="readData"/> every block is read and compared with its checksum as well. Commits wait during the walk.
    /// </summary>
    public async ValueTask<PoolVerification> VerifyAsync(bool readData = false, CancellationToken cancellationToken = default)
    {
        await CommitAsync();
        var walk = await Commits.ExcludeAsync(() => ValueTask.FromResult(WalkMap(cancellationToken)));
        if (!readData) return walk;
        var problems = walk.Problems.ToList();
        long blocks = 0;
        foreach (var volume in volumes.Values) blocks += await ReadAllAsync(volume, problems, cancellationToken);
        return walk with { BlocksRead = blocks, Problems = problems };
    }

    PoolVerification WalkMap(CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        var owned = new ulong[Space.GroupCount * GroupBitmap.Words];
        var chunksByLineage = new Dictionary<long, long>();
        long leaves = 0, chunks = 0;
        using var snapshot = Store.CreateSnapshot();
        var lineages = ReadLineages(snapshot);
        using (var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Leaves)))
        {
            while (cursor.MoveNext() && problems.Count < MaxProblems)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (lineage, index, _) = MapKeys.ReadLeaf(cursor.Key);
                if (!lineages.Contains(lineage)) problems.Add($"leaf {index} of lineage {lineage}, which is no volume's");
                var entries = new ChunkEntry[MapLayout.ChunksPerLeaf];
                try
                {
                    LeafFormat.Read(cursor.Value, entries, new uint[MapLayout.BlocksPerLeaf], Space.ChunkCount, Name, index);
                }
                catch (AshlarException damage)
                {
                    problems.Add(damage.Message);
                    continue;
                }

                leaves++;
                foreach (var entry in entries.Where(entry => entry.Chunk != 0))
                {
                    var bit = 1UL << (int)(entry.Chunk % 64);
                    if ((owned[entry.Chunk / 64] & bit) != 0) problems.Add($"chunk {entry.Chunk} is owned twice, again by leaf {index} of lineage {lineage}");
                    owned[entry.Chunk / 64] |= bit;
                    chunksByLineage[lineage] = chunksByLineage.GetValueOrDefault(lineage) + 1;
                    chunks++;
                }
            }
        }

        CompareBitmaps(snapshot, owned, problems);
        foreach (var lineage in lineages)
        {
            var usage = snapshot.Get(MapKeys.Usage(lineage)) is { Length: sizeof(long) } value ? BinaryPrimitives.ReadInt64LittleEndian(value) : 0;
            if (usage != chunksByLineage.GetValueOrDefault(lineage))
                problems.Add($"lineage {lineage} owns {chunksByLineage.GetValueOrDefault(lineage)} chunks, its usage says {usage}");
        }

        return new PoolVerification(leaves, chunks, 0, problems);
    }

    HashSet<long> ReadLineages(KeyValueSnapshot snapshot)
    {
        var lineages = new HashSet<long>();
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Volumes));
        while (cursor.MoveNext()) lineages.Add(VolumeRecord.Read(cursor.Key, cursor.Value, Name).Lineage);
        return lineages;
    }

    void CompareBitmaps(KeyValueSnapshot snapshot, ulong[] owned, List<string> problems)
    {
        Span<ulong> words = stackalloc ulong[GroupBitmap.Words];
        for (var group = 0; group < Space.GroupCount; group++)
        {
            words.Clear();
            if (snapshot.Get(MapKeys.Bitmap(group)) is { } value) GroupBitmap.Read(value, words, Name, group);
            for (var i = 0; i < words.Length; i++)
            {
                var word = (group * GroupBitmap.Words) + i;
                for (var leaked = words[i] & ~owned[word]; leaked != 0 && problems.Count < MaxProblems; leaked &= leaked - 1)
                    problems.Add($"chunk {((long)word * 64) + BitOperations.TrailingZeroCount(leaked)} leaked: in use, but owned by no leaf");
                for (var missing = owned[word] & ~words[i]; missing != 0 && problems.Count < MaxProblems; missing &= missing - 1)
                    problems.Add($"chunk {((long)word * 64) + BitOperations.TrailingZeroCount(missing)} is owned by a leaf, but not marked in use");
            }
        }
    }

    static async ValueTask<long> ReadAllAsync(ThinVolume volume, List<string> problems, CancellationToken cancellationToken)
    {
        long blocksRead = 0;
        var extents = new BlockExtent[256];
        var buffer = new byte[MapLayout.ChunkBytes];
        for (long block = 0, end = volume.Geometry.BlockCount; block < end;)
        {
            var count = volume.DescribeExtents(new Lba(block), end - block, extents);
            foreach (var extent in extents.AsSpan(0, count).ToArray())
            {
                if (extent.Kind == BlockExtentKind.Data)
                    blocksRead += await ReadRunAsync(volume, block, extent.BlockCount, buffer, problems, cancellationToken);
                block += extent.BlockCount;
            }
        }

        return blocksRead;
    }

    static async ValueTask<long> ReadRunAsync(
        ThinVolume volume, long first, long count, byte[] buffer, List<string> problems, CancellationToken cancellationToken)
    {
        var step = buffer.Length / volume.BlockSizeBytes;
        for (var block = first; block < first + count; block += step)
        {
            var part = (int)Math.Min(step, first + count - block) * volume.BlockSizeBytes;
            try
            {
                await volume.ReadAsync(new Lba(block), buffer.AsMemory(0, part), cancellationToken);
            }
            catch (Exception problem) when (problem is CorruptDataException or BlockDeviceException && problems.Count < MaxProblems)
            {
                problems.Add(problem.Message);
            }
        }

        return count * volume.BlockSizeBytes / MapLayout.BlockBytes;
    }
}
