namespace Ashlar.Volumes;

/// <summary>
/// Working memory of one request on one leaf: a copy of the entries and checksums it needs, and room for two partial blocks.
/// Kept per thread, so that a request allocates nothing.
/// </summary>
sealed class LeafSnapshot
{
    [ThreadStatic]
    static LeafSnapshot? spare;

    public ChunkEntry[] Entries { get; } = new ChunkEntry[MapLayout.ChunksPerLeaf];

    public uint[] Checksums { get; } = new uint[MapLayout.BlocksPerLeaf];

    /// <summary>A partial first, and a partial last block.</summary>
    public byte[] Edges { get; } = GC.AllocateUninitializedArray<byte>(2 * MapLayout.BlockBytes, pinned: true);

    public long Removals { get; private set; }

    /// <summary>First of the blocks whose write to the device has begun.</summary>
    public int BegunFirst { get; private set; }

    /// <summary>End of the blocks whose write to the device has begun.</summary>
    public int BegunEnd { get; private set; }

    public static LeafSnapshot Rent()
    {
        var snapshot = spare ?? new LeafSnapshot();
        spare = null;
        (snapshot.BegunFirst, snapshot.BegunEnd) = (0, 0);
        return snapshot;
    }

    public void Return() => spare = this;

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

    /// <summary>The device is about to be given these blocks; a request writes its blocks in ascending order.</summary>
    public void Begin(int firstBlock, int endBlock)
    {
        if (BegunEnd == 0) BegunFirst = firstBlock;
        BegunEnd = endBlock;
    }

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
}
