namespace Ashlar.Volumes;

/// <summary>How much of a device is for metadata.</summary>
static class MetadataSize
{
    /// <summary>
    /// A leaf takes 1,282 bytes for each MiB, an 818th; the store takes up to three times that while it merges, and snapshots have
    /// leaves of their own.
    /// </summary>
    const long DataPerMetadata = 64;

    const long MinChunks = (24 << 20) / MapLayout.ChunkBytes;

    /// <summary>Chunks of metadata for so many of data.</summary>
    public static long ChunksFor(long dataChunks) => MinChunks + AddedChunksFor(dataChunks);

    /// <summary>Chunks of metadata to add where so many of data are added.</summary>
    public static long AddedChunksFor(long dataChunks) => (dataChunks + DataPerMetadata - 1) / DataPerMetadata;
}
