namespace Ashlar.Volumes;

/// <summary>The units of the map. Everything inside a pool is counted in them, whatever block size clients see.</summary>
static class MapLayout
{
    /// <summary>Unit of validity and of the checksum.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Unit of allocation.</summary>
    public const int ChunkBytes = 64 * 1024;

    /// <summary>Unit of the map: persisted, cached and locked as one.</summary>
    public const int LeafBytes = 1024 * 1024;

    public const int BlocksPerChunk = ChunkBytes / BlockBytes;
    public const int ChunksPerLeaf = LeafBytes / ChunkBytes;
    public const int BlocksPerLeaf = LeafBytes / BlockBytes;

    /// <summary>Unit of free space: 1 GiB of the device.</summary>
    public const int ChunksPerGroup = 16 * 1024;

    /// <summary>Chunks at the front of the device that hold the two superblocks; chunk 0 can therefore mean "none".</summary>
    public const int ReservedChunks = 2;

    /// <summary>Widest chunk number and birth generation that a leaf can hold.</summary>
    public const long MaxNumber48 = (1L << 48) - 1;

    /// <summary>Where a block lies on the pool's device.</summary>
    public static long BlockOffsetBytes(long chunk, int blockInChunk) =>
        (chunk * ChunkBytes) + ((long)blockInChunk * BlockBytes);

    /// <summary>Bits <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1 of a chunk's mask.</summary>
    public static ushort BlockMask(int first, int count) => (ushort)(((1u << count) - 1) << first);
}
