namespace Ashlar.Volumes;

/// <summary>
/// What one request needs of a leaf, copied under its lock, and room for partial blocks. Kept per thread, so that a request
/// allocates nothing.
/// </summary>
class LeafCopy
{
    static readonly SpareObjects<LeafCopy> Spares = new();

    [ThreadStatic]
    static LeafCopy? spare;

    readonly long[] places = new long[MapLayout.BlocksPerLeaf];
    readonly long[] births = new long[MapLayout.BlocksPerLeaf];
    BlockChecksum checksum = BlockChecksum.Xxh3;

    public ChunkEntry[] Entries { get; } = new ChunkEntry[MapLayout.ChunksPerLeaf];

    public uint[] Checksums { get; } = new uint[MapLayout.BlocksPerLeaf];

    /// <summary>A partial first, and a partial last block.</summary>
    public byte[] Edges { get; } = GC.AllocateUninitializedArray<byte>(2 * MapLayout.BlockBytes, pinned: true);

    /// <summary>The leaf's <see cref="Leaf.Removals"/> at the time of the copy.</summary>
    public long Removals { get; private set; }

    public static LeafCopy Rent()
    {
        var copy = spare ?? Spares.Take() ?? new LeafCopy();
        spare = null;
        return copy;
    }

    public virtual void Return()
    {
        if (spare is null) spare = this;
        else Spares.Put(this);
    }

    /// <summary>Copies what concerns a run of blocks.</summary>
    public void CopyFrom(Leaf leaf, int firstBlock, int blockCount)
    {
        lock (leaf)
        {
            Removals = leaf.Removals;
            checksum = leaf.Volume.Checksum;
            CopyFrom(leaf.Map, firstBlock, blockCount);
        }
    }

    /// <summary>Copies what concerns a run of blocks; of no map, that nothing is there.</summary>
    public void CopyFrom(LeafMap? map, int firstBlock, int blockCount)
    {
        var firstSlot = firstBlock / MapLayout.BlocksPerChunk;
        var slotCount = ((firstBlock + blockCount - 1) / MapLayout.BlocksPerChunk) - firstSlot + 1;
        if (map is null)
        {
            Entries.AsSpan(firstSlot, slotCount).Clear();
            places.AsSpan(firstBlock, blockCount).Clear();
            return;
        }

        map.Entries.AsSpan(firstSlot, slotCount).CopyTo(Entries.AsSpan(firstSlot));
        map.Checksums.AsSpan(firstBlock, blockCount).CopyTo(Checksums.AsSpan(firstBlock));
        for (var block = firstBlock; block < firstBlock + blockCount; block++) (places[block], births[block]) = map.PlaceOf(block);
    }

    public Span<byte> Edge(int index) => Edges.AsSpan(index * MapLayout.BlockBytes, MapLayout.BlockBytes);

    public bool IsValid(int block) => Entries[block / MapLayout.BlocksPerChunk].IsValid(block % MapLayout.BlocksPerChunk);

    /// <summary>Where a block lies, in blocks of the device; 0 when it has no place.</summary>
    public long PlaceOf(int block) => places[block];

    /// <summary>The generation in which the place of a block was taken.</summary>
    public long BirthOf(int block) => births[block];

    /// <summary>Where the valid blocks from <paramref name="block"/> on lie one after the other, up to <paramref name="end"/>.</summary>
    public int ContiguousEnd(int block, int end)
    {
        var next = block + 1;
        while (next < end && IsValid(next) && places[next] == places[next - 1] + 1) next++;
        return next;
    }

    public long OffsetBytes(int block) => places[block] * MapLayout.BlockBytes;

    public uint ComputeChecksum(int block, ReadOnlySpan<byte> data) => ComputeChecksum(data, places[block], births[block]);

    protected uint ComputeChecksum(ReadOnlySpan<byte> data, long place, long birth) => checksum.Compute(data, place, birth);

    /// <summary>The first of some blocks that does not match its checksum, or -1.</summary>
    public int FindMismatch(int firstBlock, ReadOnlySpan<byte> data)
    {
        for (var block = firstBlock; !data.IsEmpty; block++, data = data[MapLayout.BlockBytes..])
            if (ComputeChecksum(block, data[..MapLayout.BlockBytes]) != Checksums[block]) return block;
        return -1;
    }
}
