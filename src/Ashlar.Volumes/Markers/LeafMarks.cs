namespace Ashlar.Volumes;

/// <summary>
/// The marker of one leaf, in memory for as long as the store holds it. The masks change under the lock of
/// <see cref="OverwriteMarkers"/>, <see cref="Suspect"/> under the leaf's write lock.
/// </summary>
sealed class LeafMarks(long lineage, long leafIndex)
{
    /// <summary>What the store shall hold.</summary>
    public BlockSet Wanted;

    /// <summary>What is known to be on stable storage.</summary>
    public BlockSet Durable;

    /// <summary>Blocks that an earlier life of the pool was overwriting when it ended, and that nobody has looked at since.</summary>
    public BlockSet Suspect;

    public long Lineage { get; } = lineage;

    public long LeafIndex { get; } = leafIndex;

    /// <summary>Captures of the leaf, and the time since the last one, whose checksums are not durable. Above 0 the marker stays.</summary>
    public int Uncommitted { get; set; }

    /// <summary>Time stamp of the last overwrite.</summary>
    public long LastUse { get; set; }

    /// <summary>Whether it was cleared and forgotten; a leaf that still refers to it needs a new one.</summary>
    public bool IsDropped { get; set; }

    /// <summary>Whether it waits to be written because somebody waits for it.</summary>
    public bool IsPending { get; set; }

    /// <summary>Whether it waits to be deleted, unless it is marked anew before.</summary>
    public bool IsClearing { get; set; }
}
