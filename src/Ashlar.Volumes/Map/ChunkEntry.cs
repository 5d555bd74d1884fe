namespace Ashlar.Volumes;

/// <summary>Where one chunk of a volume lies, which of its blocks hold data, and what of that is on stable storage.</summary>
struct ChunkEntry
{
    /// <summary>Chunk of the pool's device; 0 when the volume's chunk is not mapped.</summary>
    public long Chunk;

    /// <summary>Generation of the volume in which the place was allocated.</summary>
    public long Birth;

    /// <summary>Blocks that hold data; the others read as zeros.</summary>
    public ushort Valid;

    /// <summary>Blocks of this place that the persisted leaf, or the one that is being persisted, calls valid.</summary>
    public ushort CommittedValid;

    /// <summary><see cref="Valid"/> as it was when the leaf was last captured for a commit.</summary>
    public ushort CapturedValid;

    /// <summary>Whether a client asked to keep the space: only discarding the whole chunk gives it back.</summary>
    public bool IsKept;

    /// <summary>
    /// Whether it is kept, and the leaf of an earlier program has room for the checksums of the blocks that hold data only: then the map
    /// grows with the next block.
    /// </summary>
    public bool LacksRoom;

    /// <summary><see cref="Chunk"/> as it was when the leaf was last captured for a commit.</summary>
    public long CapturedChunk;

    /// <summary>Whether a block holds data.</summary>
    public readonly bool IsValid(int blockInChunk) => (Valid >> blockInChunk & 1) != 0;
}
