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
        var firstSlot = firstBlock / MapLayout.BlocksPerChunk;
        var slotCount = ((firstBlock + blockCount - 1) / MapLayout.BlocksPerChunk) - firstSlot + 1;
        lock (leaf)
        {
            Removals = leaf.Removals;
            if (leaf.HasEntries)
            {
                leaf.Entries.Slice(firstSlot, slotCount).CopyTo(Entries.AsSpan(firstSlot));
                leaf.Checksums.Slice(firstBlock, blockCount).CopyTo(Checksums.AsSpan(firstBlock));
            }
            else
            {
                Entries.AsSpan(firstSlot, slotCount).Clear();
            }
        }
    }

    public Span<byte> Edge(int index) => Edges.AsSpan(index * MapLayout.BlockBytes, MapLayout.BlockBytes);

    public bool IsValid(int block) => Entries[block / MapLayout.BlocksPerChunk].IsValid(block % MapLayout.BlocksPerChunk);

    /// <summary>Where the blocks from <paramref name="block"/> on lie one after the other, up to <paramref name="end"/>.</summary>
    public int ContiguousEnd(int block, int end, bool validOnly)
    {
        var next = block + 1;
        for (; next < end; next++)
        {
            if (validOnly && !IsValid(next)) break;
            if (next % MapLayout.BlocksPerChunk == 0)
            {
                var slot = next / MapLayout.BlocksPerChunk;
                if (Entries[slot].Chunk != Entries[slot - 1].Chunk + 1) break;
            }
        }

        return next;
    }

    public long OffsetBytes(int block) =>
        MapLayout.BlockOffsetBytes(Entries[block / MapLayout.BlocksPerChunk].Chunk, block % MapLayout.BlocksPerChunk);

    public uint ComputeChecksum(int block, ReadOnlySpan<byte> data)
    {
        ref readonly var entry = ref Entries[block / MapLayout.BlocksPerChunk];
        return BlockChecksum.Compute(data, entry.Chunk, block % MapLayout.BlocksPerChunk, entry.Birth);
    }

    /// <summary>The first of some blocks that does not match its checksum, or -1.</summary>
    public int FindMismatch(int firstBlock, ReadOnlySpan<byte> data)
    {
        for (var block = firstBlock; !data.IsEmpty; block++, data = data[MapLayout.BlockBytes..])
            if (ComputeChecksum(block, data[..MapLayout.BlockBytes]) != Checksums[block]) return block;
        return -1;
    }
}
