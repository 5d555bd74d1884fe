using System.Buffers.Binary;
using System.Numerics;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// All leaves of one snapshot of the store, and what they own. Each batch of a commit changes leaves, bitmaps and usage together,
/// so in any snapshot they agree, and nothing has to wait for the walk.
/// </summary>
sealed class MapWalk
{
    const int MaxProblems = 1000;

    readonly ulong[] owned;
    readonly Dictionary<long, long> chunksByLineage = [];
    readonly int groupCount;
    readonly string pool;

    MapWalk(ChunkSpace space, string pool)
    {
        groupCount = space.GroupCount;
        owned = new ulong[groupCount * GroupBitmap.Words];
        this.pool = pool;
    }

    public long Leaves { get; private set; }

    public long UnreadableLeaves { get; private set; }

    public long Chunks { get; private set; }

    /// <summary>What does not hold within the map; the first thousand findings.</summary>
    public List<string> Problems { get; } = [];

    public static MapWalk Run(KeyValueSnapshot snapshot, ChunkSpace space, string pool, CancellationToken cancellationToken)
    {
        var walk = new MapWalk(space, pool);
        var lineages = ReadLineages(snapshot, pool);
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Leaves));
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (lineage, index, _) = MapKeys.ReadLeaf(cursor.Key);
            if (!lineages.Contains(lineage)) walk.AddProblem($"leaf {index} of lineage {lineage}, which is no volume's");
            walk.Visit(lineage, index, cursor.Value, space.ChunkCount);
        }

        return walk;
    }

    /// <summary>Chunks in use that no leaf owns.</summary>
    public IEnumerable<long> FindLeaked(KeyValueSnapshot snapshot)
    {
        var words = new ulong[GroupBitmap.Words];
        for (var group = 0; group < groupCount; group++)
        {
            ReadBitmap(snapshot, group, words);
            for (var i = 0; i < words.Length; i++)
            {
                var word = (group * GroupBitmap.Words) + i;
                for (var leaked = words[i] & ~owned[word]; leaked != 0; leaked &= leaked - 1)
                    yield return ((long)word * 64) + BitOperations.TrailingZeroCount(leaked);
            }
        }
    }

    /// <summary>How many chunks more than its leaves own a volume is said to own, where the two differ.</summary>
    public IEnumerable<(long Lineage, long Surplus)> FindUsageSurplus(KeyValueSnapshot snapshot)
    {
        foreach (var lineage in ReadLineages(snapshot, pool))
        {
            var usage = snapshot.Get(MapKeys.Usage(lineage)) is { Length: sizeof(long) } value
                ? BinaryPrimitives.ReadInt64LittleEndian(value)
                : 0;
            if (usage - chunksByLineage.GetValueOrDefault(lineage) is not 0 and var surplus) yield return (lineage, surplus);
        }
    }

    /// <summary>Compares the map with free space and usage, and adds what does not hold to the problems.</summary>
    public void Compare(KeyValueSnapshot snapshot)
    {
        foreach (var chunk in FindLeaked(snapshot).Take(MaxProblems)) AddProblem($"chunk {chunk} leaked: in use, but owned by no leaf");
        var words = new ulong[GroupBitmap.Words];
        for (var group = 0; group < groupCount; group++)
        {
            ReadBitmap(snapshot, group, words);
            for (var i = 0; i < words.Length; i++)
            {
                var word = (group * GroupBitmap.Words) + i;
                for (var missing = owned[word] & ~words[i]; missing != 0; missing &= missing - 1)
                    AddProblem(
                        $"chunk {((long)word * 64) + BitOperations.TrailingZeroCount(missing)} is owned by a leaf, but not marked in use");
            }
        }

        foreach (var (lineage, surplus) in FindUsageSurplus(snapshot))
        {
            var chunks = chunksByLineage.GetValueOrDefault(lineage);
            AddProblem($"lineage {lineage} owns {chunks} chunks, its usage says {chunks + surplus}");
        }
    }

    void Visit(long lineage, long index, ReadOnlySpan<byte> value, long chunkCount)
    {
        var entries = new ChunkEntry[MapLayout.ChunksPerLeaf];
        try
        {
            LeafFormat.Read(value, entries, new uint[MapLayout.BlocksPerLeaf], chunkCount, pool, index);
        }
        catch (AshlarException damage)
        {
            UnreadableLeaves++;
            AddProblem(damage.Message);
            return;
        }

        Leaves++;
        foreach (var entry in entries)
        {
            if (entry.Chunk == 0) continue;
            var bit = 1UL << (int)(entry.Chunk % 64);
            if ((owned[entry.Chunk / 64] & bit) != 0)
                AddProblem($"chunk {entry.Chunk} is owned twice, again by leaf {index} of lineage {lineage}");
            owned[entry.Chunk / 64] |= bit;
            chunksByLineage[lineage] = chunksByLineage.GetValueOrDefault(lineage) + 1;
            Chunks++;
        }
    }

    void AddProblem(string problem)
    {
        if (Problems.Count < MaxProblems) Problems.Add(problem);
    }

    void ReadBitmap(KeyValueSnapshot snapshot, int group, ulong[] words)
    {
        words.AsSpan().Clear();
        if (snapshot.Get(MapKeys.Bitmap(group)) is { } value) GroupBitmap.Read(value, words, pool, group);
    }

    static HashSet<long> ReadLineages(KeyValueSnapshot snapshot, string pool)
    {
        var lineages = new HashSet<long>();
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Volumes));
        while (cursor.MoveNext()) lineages.Add(VolumeRecord.Read(cursor.Key, cursor.Value, pool).Lineage);
        return lineages;
    }
}
