namespace Ashlar.Volumes;

/// <summary>Where the blocks of one MiB of a volume lie, and their checksums: a leaf's content, of the head or of a snapshot.</summary>
sealed class LeafMap
{
    public ChunkEntry[] Entries { get; } = new ChunkEntry[MapLayout.ChunksPerLeaf];

    public uint[] Checksums { get; } = new uint[MapLayout.BlocksPerLeaf];

    /// <summary>Blocks that are not at home; null while there were none.</summary>
    public RedirectedBlocks? Redirected { get; private set; }

    /// <summary>Whether blocks are not at home.</summary>
    public bool HasRedirected => Redirected is not null && Array.Exists(Entries, static entry => entry.Redirected != 0);

    /// <summary>Whether nothing is mapped.</summary>
    public bool IsEmpty => !Array.Exists(Entries, static entry => entry.IsMapped);

    public RedirectedBlocks EnsureRedirected() => Redirected ??= new RedirectedBlocks();

    public bool IsValid(int block) => Entries[block / MapLayout.BlocksPerChunk].IsValid(block % MapLayout.BlocksPerChunk);

    public bool IsRedirected(int block) =>
        (Entries[block / MapLayout.BlocksPerChunk].Redirected >> (block % MapLayout.BlocksPerChunk) & 1) != 0;

    /// <summary>Where a block lies, in blocks of the device, and since which generation; 0 when it has no place.</summary>
    public (long Place, long Birth) PlaceOf(int block)
    {
        if (IsRedirected(block)) return (Redirected!.PlaceOf(block), Redirected.BirthOf(block));
        ref readonly var entry = ref Entries[block / MapLayout.BlocksPerChunk];
        return entry.Chunk == 0
            ? default
            : ((entry.Chunk * MapLayout.BlocksPerChunk) + (block % MapLayout.BlocksPerChunk), entry.Birth);
    }

    /// <summary>The places outside homes.</summary>
    public IEnumerable<(int Block, long Place, long Birth)> ListRedirected()
    {
        for (var block = 0; Redirected is not null && block < MapLayout.BlocksPerLeaf; block++)
            if (IsRedirected(block)) yield return (block, Redirected!.PlaceOf(block), Redirected.BirthOf(block));
    }
}
