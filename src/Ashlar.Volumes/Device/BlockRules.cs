namespace Ashlar.Volumes;

/// <summary>How blocks are judged. Tests override a rule to show that its breach would be found.</summary>
class BlockRules
{
    /// <summary>The first of some blocks that does not match its checksum, or -1.</summary>
    public virtual int FindMismatch(LeafCopy copy, int firstBlock, ReadOnlySpan<byte> data) => copy.FindMismatch(firstBlock, data);

    /// <summary>Which blocks of a run must be marked before they are overwritten: those that the committed leaf calls valid.</summary>
    public virtual BlockSet NeedMarkers(Leaf leaf, int firstBlock, int blockCount) => leaf.CommittedIn(firstBlock, blockCount);

    /// <summary>A leaf let go of a chunk: it must not be given out again before a leaf without it is durable.</summary>
    public virtual void LetGo(ChunkSpace space, long chunk) => space.Quarantine(1);

    /// <summary>Whether the markers that an earlier life left are looked at.</summary>
    public virtual bool AreSuspectsLookedAt => true;
}
