namespace Ashlar.Volumes;

/// <summary>
/// One chunk of a volume: its home on the device, which of its blocks hold data, which of these lie elsewhere, and what of that is on
/// stable storage.
/// </summary>
struct ChunkEntry
{
    /// <summary>Its home: a chunk of the pool's device; 0 when it has none.</summary>
    public long Chunk;

    /// <summary>Generation in which the home was allocated.</summary>
    public long Birth;

    /// <summary>Blocks that hold data, wherever they lie; the others read as zeros.</summary>
    public ushort Valid;

    /// <summary>Of the valid ones those that do not lie at home, but where <see cref="RedirectedBlocks"/> says.</summary>
    public ushort Redirected;

    /// <summary>
    /// Blocks that the persisted leaf, or the one that is being persisted, calls valid at the place where they lie now.
    /// </summary>
    public ushort CommittedValid;

    /// <summary><see cref="Valid"/> as it was when the leaf was last captured for a commit, without blocks that have moved since.</summary>
    public ushort CapturedValid;

    /// <summary>Whether a client asked to keep the space: only discarding the whole chunk gives it back.</summary>
    public bool IsKept;

    /// <summary>
    /// Whether it is kept, and the leaf of an earlier program has room for the checksums of the blocks that hold data only: then the map
    /// grows with the next block.
    /// </summary>
    public bool LacksRoom;

    /// <summary>Blocks that hold data at home.</summary>
    public readonly ushort AtHome => (ushort)(Valid & ~Redirected);

    /// <summary>Whether it has a home or data.</summary>
    public readonly bool IsMapped => Chunk != 0 || Valid != 0;

    /// <summary>Whether a block holds data.</summary>
    public readonly bool IsValid(int blockInChunk) => (Valid >> blockInChunk & 1) != 0;

    /// <summary>Blocks are somewhere else from now on: no leaf in the store knows them there.</summary>
    public void Moved(ushort blocks)
    {
        CommittedValid &= (ushort)~blocks;
        CapturedValid &= (ushort)~blocks;
    }
}
