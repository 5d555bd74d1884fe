using System.Buffers.Binary;
using System.Numerics;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// All leaves of one snapshot of the store, and what they own. Each batch of a commit changes leaves, bitmaps and usage together,
/// so in any snapshot they agree, and nothing has to wait for the walk.
/// </summary>
/// <remarks>
/// The head and the kept versions of one leaf may have places in common: that is what a snapshot shares with its volume. Places of two
/// leaves never; but a clone has places of the snapshot that it came from, taken no later than that, which it does not own.
/// </remarks>
sealed class MapWalk
{
    const int MaxProblems = 1000;

    readonly ulong[] owned;
    readonly ulong[] inherited;
    readonly Dictionary<long, (ushort Blocks, long Lineage)> fragments = [];
    readonly Dictionary<long, long> chunksByLineage = [];
    readonly Dictionary<long, VolumeParent> parents;
    readonly ILookup<long, long> snapshots;
    readonly HashSet<long> lineages;
    readonly OwnedByLeaf leafPlaces = new();
    readonly long chunkCount;
    readonly int groupCount;
    readonly string pool;

    MapWalk(KeyValueSnapshot snapshot, ChunkSpace space, string pool)
    {
        (groupCount, chunkCount, this.pool) = (space.GroupCount, space.ChunkCount, pool);
        owned = new ulong[groupCount * GroupBitmap.Words];
        inherited = new ulong[owned.Length];
        (lineages, parents) = (ReadLineages(snapshot, pool), ReadParents(snapshot, pool));
        snapshots = ReadSnapshots(snapshot);
    }

    public long Leaves { get; private set; }

    public long UnreadableLeaves { get; private set; }

    public long Chunks { get; private set; }

    /// <summary>What does not hold within the map; the first thousand findings.</summary>
    public List<string> Problems { get; } = [];

    public static MapWalk Run(KeyValueSnapshot snapshot, ChunkSpace space, string pool, CancellationToken cancellationToken)
    {
        var walk = new MapWalk(snapshot, space, pool);
        using var heads = snapshot.Scan(KeyRange.Prefix(MapKeys.Leaves));
        using var kept = snapshot.Scan(KeyRange.Prefix(MapKeys.OldLeaves));
        var hasKept = kept.MoveNext();
        while (heads.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (lineage, index, _) = MapKeys.ReadLeaf(heads.Key);
            if (!walk.lineages.Contains(lineage)) walk.AddProblem($"leaf {index} of lineage {lineage}, which is no volume's");
            var head = walk.Visit(lineage, index, heads.Value);
            var youngest = head?.Generation ?? long.MaxValue;
            for (; hasKept; hasKept = kept.MoveNext())
            {
                var (keptLineage, keptIndex, generation) = MapKeys.ReadLeaf(kept.Key);
                var order = (keptLineage, keptIndex).CompareTo((lineage, index));
                if (order > 0) break;
                if (order < 0)
                {
                    walk.AddProblem(
                        $"leaf {keptIndex} of lineage {keptLineage} is kept in generation {generation}, without one of the head");
                    walk.EndLeaf(walk.VisitAlone(keptLineage, keptIndex, kept.Value));
                    continue;
                }

                if (youngest == head?.Generation && head?.Older != generation)
                    walk.AddProblem($"leaf {index} of lineage {lineage} follows generation {head?.Older}, but {generation} is kept");
                if (generation >= youngest)
                    walk.AddProblem($"leaf {index} of lineage {lineage} is kept in generation {generation}, and is of {youngest} itself");
                if (!walk.snapshots[lineage].Any(each => each >= generation && each < youngest))
                    walk.AddProblem($"leaf {index} of lineage {lineage} is kept in generation {generation} for no snapshot");
                youngest = generation;
                walk.Visit(lineage, index, kept.Value);
            }

            walk.EndLeaf(lineage);
        }

        for (; hasKept; hasKept = kept.MoveNext())
        {
            var (lineage, index, generation) = MapKeys.ReadLeaf(kept.Key);
            walk.AddProblem($"leaf {index} of lineage {lineage} is kept in generation {generation}, without one of the head");
            walk.EndLeaf(walk.VisitAlone(lineage, index, kept.Value));
        }

        walk.EndFragments();
        walk.VisitDeltas(snapshot, cancellationToken);
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
                for (var leaked = words[i] & ~(owned[word] | inherited[word]); leaked != 0; leaked &= leaked - 1)
                    yield return ((long)word * 64) + BitOperations.TrailingZeroCount(leaked);
            }
        }
    }

    /// <summary>How many chunks more than its leaves own a volume is said to own, where the two differ.</summary>
    public IEnumerable<(long Lineage, long Surplus)> FindUsageSurplus(KeyValueSnapshot snapshot)
    {
        foreach (var lineage in lineages)
        {
            var usage = snapshot.Get(MapKeys.Usage(lineage)) is { Length: sizeof(long) } value
                ? BinaryPrimitives.ReadInt64LittleEndian(value)
                : 0;
            if (usage - chunksByLineage.GetValueOrDefault(lineage) is not 0 and var surplus) yield return (lineage, surplus);
        }
    }

    /// <summary>
    /// Blocks that the store calls taken and that no leaf owns, by fragment chunk; what leaves own of it comes with them.
    /// </summary>
    public IEnumerable<(long Chunk, ushort Leaked, ushort Owned)> FindLeakedBlocks(KeyValueSnapshot snapshot)
    {
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Fragments));
        while (cursor.MoveNext())
        {
            var number = MapKeys.ReadNumber(cursor.Key);
            var page = FragmentPage.Read(cursor.Value, pool, number);
            for (var index = 0; index < FragmentPage.Chunks; index++)
            {
                var chunk = (number * FragmentPage.Chunks) + index;
                var blocks = fragments.GetValueOrDefault(chunk).Blocks;
                if ((page.BlocksOf(index) & ~blocks) is not 0 and var leaked) yield return (chunk, (ushort)leaked, blocks);
            }
        }
    }

    /// <summary>Compares the map with free space and usage, and adds what does not hold to the problems.</summary>
    public void Compare(KeyValueSnapshot snapshot)
    {
        foreach (var chunk in FindLeaked(snapshot).Take(MaxProblems)) AddProblem($"chunk {chunk} leaked: in use, but owned by no leaf");
        foreach (var (chunk, leaked, _) in FindLeakedBlocks(snapshot).Take(MaxProblems))
            AddProblem($"chunk {chunk}: blocks {leaked:x4} leaked: in use, but owned by no leaf");
        CompareBarred(snapshot);
        CompareBitmaps(snapshot);
        ComparePages(snapshot);
        for (var word = 0; word < owned.Length; word++)
        {
            for (var lost = inherited[word] & ~owned[word]; lost != 0; lost &= lost - 1)
            {
                var chunk = ((long)word * 64) + BitOperations.TrailingZeroCount(lost);
                AddProblem($"chunk {chunk} is a clone's, but the snapshot that the clone came from does not have it");
            }
        }

        foreach (var (lineage, surplus) in FindUsageSurplus(snapshot))
        {
            var chunks = chunksByLineage.GetValueOrDefault(lineage);
            AddProblem($"lineage {lineage} owns {chunks} chunks, its usage says {chunks + surplus}");
        }
    }

    // Nothing lies where a device has left, or could.
    void CompareBarred(KeyValueSnapshot snapshot)
    {
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Barred));
        while (cursor.MoveNext())
        {
            var range = BarredRange.Read(cursor.Key, cursor.Value, pool);
            for (var chunk = range.First; range.State == BarredState.Gone && chunk < Math.Min(range.End, chunkCount); chunk++)
                if ((owned[chunk / 64] >> (int)(chunk % 64) & 1) != 0) AddProblem($"chunk {chunk} is owned, and out of use");
        }
    }

    void CompareBitmaps(KeyValueSnapshot snapshot)
    {
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
    }

    void ComparePages(KeyValueSnapshot snapshot)
    {
        var pages = new Dictionary<long, FragmentPage>();
        foreach (var (chunk, (blocks, lineage)) in fragments)
        {
            var number = chunk / FragmentPage.Chunks;
            if (!pages.TryGetValue(number, out var page))
            {
                page = snapshot.Get(MapKeys.FragmentPage(number)) is { } value
                    ? FragmentPage.Read(value, pool, number)
                    : new FragmentPage();
                pages.Add(number, page);
            }

            var index = (int)(chunk % FragmentPage.Chunks);
            if ((blocks & ~page.BlocksOf(index)) is not 0 and var missing)
                AddProblem($"chunk {chunk}: blocks {missing:x4} are owned by leaves, but not marked in use");
            if (page.BlocksOf(index) != 0 && page.LineageOf(index) != lineage)
                AddProblem($"chunk {chunk}: blocks of lineage {lineage} in a chunk of {page.LineageOf(index)}");
        }
    }

    // Nothing can be said about where it belongs: it is taken for one of its own.
    long VisitAlone(long lineage, long index, ReadOnlySpan<byte> value)
    {
        Visit(lineage, index, value);
        return lineage;
    }

    // Null when it cannot be read.
    LeafVersion? Visit(long lineage, long index, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return null; // It could not be read when it was replaced, and says so to whoever reads it.
        var map = new LeafMap();
        LeafVersion version;
        try
        {
            version = LeafFormat.Read(value, map, chunkCount, pool, index);
        }
        catch (AshlarException damage)
        {
            UnreadableLeaves++;
            AddProblem(damage.Message);
            return null;
        }

        Leaves++;
        var parent = parents.TryGetValue(lineage, out var origin) ? origin.Generation : 0;
        foreach (var (slot, entry) in map.Entries.Index())
        {
            if (entry.Chunk == 0) continue;
            if (entry.Birth <= parent) Inherit(entry.Chunk);
            else if (!leafPlaces.TryAddHome(entry.Chunk, slot, entry.Birth))
                AddProblem($"chunk {entry.Chunk} is owned twice by leaf {index} of lineage {lineage}");
        }

        foreach (var (block, place, birth) in map.ListRedirected())
        {
            if (birth <= parent) Inherit(place / MapLayout.BlocksPerChunk);
            else if (!leafPlaces.TryAddBlock(place, block, birth))
                AddProblem($"block {place} of the device is owned twice by leaf {index} of lineage {lineage}");
        }

        return version;
    }

    // Each belongs to the leaf that is there.
    void VisitDeltas(KeyValueSnapshot snapshot, CancellationToken cancellationToken)
    {
        using var deltas = snapshot.Scan(KeyRange.Prefix(MapKeys.Deltas));
        var key = new byte[MapKeys.LeafBytes];
        while (deltas.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (lineage, index) = MapKeys.ReadMarker(deltas.Key);
            MapKeys.WriteLeaf(key, lineage, index);
            try
            {
                if (snapshot.Get(key) is { } whole) _ = LeafDelta.Merge(whole, deltas.Value, pool, index);
                else AddProblem($"leaf {index} of lineage {lineage} is not there, and has a delta");
            }
            catch (AshlarException damage)
            {
                AddProblem(damage.Message);
            }
        }
    }

    void Inherit(long chunk) => inherited[chunk / 64] |= 1UL << (int)(chunk % 64);

    // All versions of a leaf have been seen.
    void EndLeaf(long lineage)
    {
        foreach (var chunk in leafPlaces.Homes) Own(chunk, lineage);
        foreach (var place in leafPlaces.Blocks)
        {
            var (chunk, bit) = (place / MapLayout.BlocksPerChunk, (ushort)(1 << (int)(place % MapLayout.BlocksPerChunk)));
            var known = fragments.GetValueOrDefault(chunk, (Blocks: (ushort)0, Lineage: lineage));
            if ((known.Blocks & bit) != 0) AddProblem($"block {place} of the device is owned twice, again by lineage {lineage}");
            if (known.Lineage != lineage) AddProblem($"chunk {chunk} has blocks of lineages {known.Lineage} and {lineage}");
            fragments[chunk] = ((ushort)(known.Blocks | bit), known.Lineage);
        }

        leafPlaces.Clear();
    }

    void EndFragments()
    {
        foreach (var (chunk, (_, lineage)) in fragments) Own(chunk, lineage);
    }

    void Own(long chunk, long lineage)
    {
        var bit = 1UL << (int)(chunk % 64);
        if ((owned[chunk / 64] & bit) != 0) AddProblem($"chunk {chunk} is owned twice, again by a leaf of lineage {lineage}");
        owned[chunk / 64] |= bit;
        chunksByLineage[lineage] = chunksByLineage.GetValueOrDefault(lineage) + 1;
        Chunks++;
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

    static ILookup<long, long> ReadSnapshots(KeyValueSnapshot snapshot)
    {
        var generations = new List<(long Lineage, long Generation)>();
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Snapshots));
        while (cursor.MoveNext()) generations.Add(MapKeys.ReadMarker(cursor.Key));
        return generations.ToLookup(each => each.Lineage, each => each.Generation);
    }

    static Dictionary<long, VolumeParent> ReadParents(KeyValueSnapshot snapshot, string pool)
    {
        var parents = new Dictionary<long, VolumeParent>();
        using var cursor = snapshot.Scan(KeyRange.Prefix(MapKeys.Parents));
        while (cursor.MoveNext()) parents.Add(MapKeys.ReadNumber(cursor.Key), VolumeParent.Read(cursor.Value, pool));
        return parents;
    }

    /// <summary>What the versions of one leaf own.</summary>
    sealed class OwnedByLeaf
    {
        readonly Dictionary<long, (int Slot, long Birth)> homes = [];
        readonly Dictionary<long, (int Block, long Birth)> blocks = [];

        public IEnumerable<long> Homes => homes.Keys;

        public IEnumerable<long> Blocks => blocks.Keys;

        public bool TryAddHome(long chunk, int slot, long birth) =>
            homes.TryAdd(chunk, (slot, birth)) || homes[chunk] == (slot, birth);

        public bool TryAddBlock(long place, int block, long birth) =>
            blocks.TryAdd(place, (block, birth)) || blocks[place] == (block, birth);

        public void Clear()
        {
            homes.Clear();
            blocks.Clear();
        }
    }
}
