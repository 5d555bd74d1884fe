namespace Ashlar.Volumes;

/// <summary>
/// What a write is going to do to a leaf: a copy of where its blocks lie, where the new ones go, their checksums, and how far the device
/// has been given the data.
/// </summary>
sealed class LeafPlan : LeafCopy
{
    static readonly SpareObjects<LeafPlan> Spares = new();

    [ThreadStatic]
    static LeafPlan? spare;

    readonly long[] targets = new long[MapLayout.BlocksPerLeaf];
    readonly long[] targetBirths = new long[MapLayout.BlocksPerLeaf];
    readonly uint[] newChecksums = new uint[MapLayout.BlocksPerLeaf];
    readonly List<long> takenBlocks = [];
    byte[]? chunk;

    /// <summary>First of the blocks whose write to the device has begun.</summary>
    public int BegunFirst { get; private set; }

    /// <summary>End of the blocks whose write to the device has begun.</summary>
    public int BegunEnd { get; private set; }

    /// <summary>Generation that the leaf has from this write on.</summary>
    public long Generation { get; set; }

    /// <summary>Whether all of the write is to be there after a crash, or nothing of it: then nothing is overwritten.</summary>
    public bool IsAtomic { get; set; }

    /// <summary>Its record in the log of recent writes; 0 when there is none.</summary>
    public ulong Logged { get; set; }

    /// <summary>Slots that get a home, as bits.</summary>
    public ushort NewHomes { get; private set; }

    /// <summary>Blocks of fragment chunks that were taken.</summary>
    public IReadOnlyList<long> TakenBlocks => takenBlocks;

    /// <summary>Checksums of the blocks that are written.</summary>
    public ReadOnlySpan<uint> NewChecksums => newChecksums;

    /// <summary>Room for a chunk.</summary>
    public byte[] Chunk => chunk ??= GC.AllocateUninitializedArray<byte>(MapLayout.ChunkBytes, pinned: true);

    public static new LeafPlan Rent()
    {
        var plan = spare ?? Spares.Take() ?? new LeafPlan();
        spare = null;
        (plan.BegunFirst, plan.BegunEnd, plan.NewHomes, plan.IsAtomic, plan.Logged) = (0, 0, 0, false, 0);
        plan.takenBlocks.Clear();
        return plan;
    }

    public override void Return()
    {
        if (spare is null) spare = this;
        else Spares.Put(this);
    }

    /// <summary>The device is about to be given these blocks; a request writes its blocks in ascending order.</summary>
    public void Begin(int firstBlock, int endBlock)
    {
        if (BegunEnd == 0) BegunFirst = firstBlock;
        BegunEnd = endBlock;
    }

    /// <summary>
    /// A slot gets a home. Where its blocks lie until they are written is still known: parts of them may have to be read.
    /// </summary>
    public void SetHome(int slot, long chunkNumber)
    {
        NewHomes |= (ushort)(1 << slot);
        ref var entry = ref Entries[slot];
        (entry.Chunk, entry.Birth, entry.IsKept) = (chunkNumber, Generation, false);
    }

    public bool HasNewHome(int slot) => (NewHomes >> slot & 1) != 0;

    /// <summary>A block goes to the home of its slot.</summary>
    public void TargetHome(int block)
    {
        ref readonly var home = ref Entries[block / MapLayout.BlocksPerChunk];
        targets[block] = (home.Chunk * MapLayout.BlocksPerChunk) + (block % MapLayout.BlocksPerChunk);
        targetBirths[block] = home.Birth;
    }

    /// <summary>A block is overwritten where it lies.</summary>
    public void TargetInPlace(int block) => (targets[block], targetBirths[block]) = (PlaceOf(block), BirthOf(block));

    /// <summary>A block goes to a fragment chunk.</summary>
    public void TargetFragment(int block, long place)
    {
        (targets[block], targetBirths[block]) = (place, Generation);
        takenBlocks.Add(place);
    }

    /// <summary>Where a block is written to, in blocks of the device.</summary>
    public long TargetOf(int block) => targets[block];

    /// <summary>The generation in which that place was taken.</summary>
    public long TargetBirthOf(int block) => targetBirths[block];

    /// <summary>Whether a block is overwritten where it lies.</summary>
    public bool IsInPlace(int block) => targets[block] == PlaceOf(block);

    public long TargetOffsetBytes(int block) => targets[block] * MapLayout.BlockBytes;

    /// <summary>Where the blocks from <paramref name="block"/> on are written one after the other, up to <paramref name="end"/>.</summary>
    public int TargetEnd(int block, int end)
    {
        var next = block + 1;
        while (next < end && targets[next] == targets[next - 1] + 1) next++;
        return next;
    }

    /// <summary>The checksum of a block where it is written to; it is remembered.</summary>
    public uint ComputeTargetChecksum(int block, ReadOnlySpan<byte> data) =>
        newChecksums[block] = ComputeChecksum(data, targets[block], targetBirths[block]);
}
