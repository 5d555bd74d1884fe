namespace Ashlar.Volumes;

/// <summary>
/// What a write is going to do to a leaf: a copy with places for the chunks that it lacks, the new checksums, and how far the device
/// has been given the data.
/// </summary>
sealed class LeafPlan : LeafCopy
{
    static readonly SpareObjects<LeafPlan> Spares = new();

    [ThreadStatic]
    static LeafPlan? spare;

    byte[]? chunk;

    /// <summary>First of the blocks whose write to the device has begun.</summary>
    public int BegunFirst { get; private set; }

    /// <summary>End of the blocks whose write to the device has begun.</summary>
    public int BegunEnd { get; private set; }

    /// <summary>Room for a chunk.</summary>
    public byte[] Chunk => chunk ??= GC.AllocateUninitializedArray<byte>(MapLayout.ChunkBytes, pinned: true);

    public static new LeafPlan Rent()
    {
        var plan = spare ?? Spares.Take() ?? new LeafPlan();
        spare = null;
        (plan.BegunFirst, plan.BegunEnd) = (0, 0);
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
}
