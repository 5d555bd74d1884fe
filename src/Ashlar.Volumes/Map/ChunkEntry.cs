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

    /// <summary>
    /// Blocks that have left home for another place, and that the persisted leaf, or the one that is being persisted, calls valid at home:
    /// a crash would find them there.
    /// </summary>
    public ushort LeftHome;

    /// <summary>Of those the ones that have left since the leaf was last captured for a commit.</summary>
    public ushort LeftSinceCapture;

    /// <summary>Whether a client asked to keep the space: only discarding the whole chunk gives it back.</summary>
    public bool IsKept;

    /// <summary>
    /// Whether it is kept, and the leaf of an earlier program has room for the checksums of the blocks that hold data only: then the map
    /// grows with the next block.
    /// </summary>
    public bool LacksRoom;

    /// <summary>Blocks that hold data at home.</summary>
    public readonly ushort AtHome => (ushort)(Valid & ~Redirected);

    /// <summary>Blocks that the persisted leaf, or the one that is being persisted, calls valid where they would be overwritten.</summary>
    public readonly ushort CommittedHere => (ushort)(CommittedValid | (LeftHome & ~Redirected));

    /// <summary>Blocks that the persisted leaf, or the one that is being persisted, calls valid at home.</summary>
    public readonly ushort NeededAtHome => (ushort)((CommittedValid & ~Redirected) | LeftHome);

    /// <summary>Whether it has a home or data.</summary>
    public readonly bool IsMapped => Chunk != 0 || Valid != 0;

    /// <summary>Whether a block holds data.</summary>
    public readonly bool IsValid(int blockInChunk) => (Valid >> blockInChunk & 1) != 0;

    /// <summary>Blocks are somewhere else from now on: no leaf in the store knows them there.</summary>
    public void Moved(ushort blocks)
    {
        var left = (ushort)(blocks & CommittedValid & ~Redirected);
        LeftHome |= left;
        LeftSinceCapture |= left;
        CommittedValid &= (ushort)~blocks;
        CapturedValid &= (ushort)~blocks;
    }

    /// <summary>No leaf of the volume in the store speaks of any of it.</summary>
    public void Forgotten() => (CommittedValid, CapturedValid, LeftHome, LeftSinceCapture) = (0, 0, 0, 0);

    /// <summary>It gets another home, or none: what is committed of the old one is of no interest, for that is given back.</summary>
    public void ForgetHome() => (LeftHome, LeftSinceCapture) = (0, 0);

    /// <summary>The leaf is captured as it is.</summary>
    public void Captured()
    {
        // Until the batch is known to be durable the store may hold the old leaf or this one: a block that is valid in either must not be
        // overwritten without a marker.
        CapturedValid = Valid;
        CommittedValid |= Valid;
        LeftSinceCapture = 0;
    }

    /// <summary>The store has what was captured last, and nothing older.</summary>
    public void Committed() => (CommittedValid, LeftHome) = (CapturedValid, LeftSinceCapture);
}
