namespace Ashlar.Volumes;

/// <summary>
/// What the newest record that holds says of a block. In the order in which it is written: keeping space for zeros may write zeros to all
/// of a home that is new, and discarding may give up one that is not kept yet.
/// </summary>
enum RecoveredKind : byte
{
    /// <summary>None of it is known yet.</summary>
    Open = 0,

    /// <summary>The store has it.</summary>
    Stored,

    /// <summary>Data that were found.</summary>
    Data,

    KeptZeros,

    Zeros,
}

/// <summary>How many blocks a log has brought back, how many found no room, and how many are not what they were answered to be.</summary>
readonly record struct RecoveredBlocks(long Found, long Lost, long Missing)
{
    public static RecoveredBlocks operator +(RecoveredBlocks one, RecoveredBlocks other) =>
        new(one.Found + other.Found, one.Lost + other.Lost, one.Missing + other.Missing);
}

/// <summary>What the log of an earlier life says of the blocks of one leaf; filled from the newest record to the oldest.</summary>
sealed class RecoveredLeaf
{
    readonly RecoveredKind[] kinds = new RecoveredKind[MapLayout.BlocksPerLeaf];
    readonly long[] chunks = new long[MapLayout.BlocksPerLeaf];

    /// <summary>Whether some of it was written atomically: then all of it has to be, again.</summary>
    public bool IsAtomic { get; set; }

    /// <summary>Blocks that are not what they were answered to be: power was lost below, or a set had them in memory.</summary>
    public BlockSet Missing { get; set; }

    /// <summary>Blocks with data that lay at a home, and its chunk.</summary>
    public IEnumerable<(int Block, long Chunk)> Homes
    {
        get
        {
            for (var block = 0; block < kinds.Length; block++)
                if (kinds[block] == RecoveredKind.Data && chunks[block] != 0) yield return (block, chunks[block]);
        }
    }

    /// <summary>Whether no newer record has said what a block is.</summary>
    public bool IsOpen(int block) => kinds[block] == RecoveredKind.Open;

    /// <summary>Whether it is known what each of the first blocks is.</summary>
    public bool Covers(int blockCount) => !kinds.AsSpan(0, blockCount).Contains(RecoveredKind.Open);

    public void SetStored(int block) => kinds[block] = RecoveredKind.Stored;

    /// <summary>A block was found.</summary>
    /// <param name="block">The block.</param>
    /// <param name="homeChunk">The home that it lies at; 0 when it lies elsewhere.</param>
    public void SetData(int block, long homeChunk) => (kinds[block], chunks[block]) = (RecoveredKind.Data, homeChunk);

    /// <summary>A block was not found where a record that was done says; an older one may know of it.</summary>
    public void AddMissing(int block)
    {
        var missing = Missing;
        missing.Add(block);
        Missing = missing;
    }

    public void AddZeros(int firstBlock, int count, bool keep)
    {
        for (var block = firstBlock; block < firstBlock + count; block++)
            if (IsOpen(block)) kinds[block] = keep ? RecoveredKind.KeptZeros : RecoveredKind.Zeros;
    }

    /// <summary>Takes what another one has found and this one lacks.</summary>
    public void TakeOver(RecoveredLeaf other)
    {
        IsAtomic |= other.IsAtomic;
        for (var block = 0; block < kinds.Length; block++)
            if (IsOpen(block)) (kinds[block], chunks[block]) = (other.kinds[block], other.chunks[block]);
    }

    /// <summary>Runs of blocks of one kind that have to be written.</summary>
    public IEnumerable<(int First, int Count, RecoveredKind Kind)> Runs()
    {
        for (var first = 0; first < kinds.Length;)
        {
            var end = first + 1;
            while (end < kinds.Length && kinds[end] == kinds[first]) end++;
            if (kinds[first] > RecoveredKind.Stored) yield return (first, end - first, kinds[first]);
            first = end;
        }
    }
}
