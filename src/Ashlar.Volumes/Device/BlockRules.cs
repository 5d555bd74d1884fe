using System.Numerics;

namespace Ashlar.Volumes;

/// <summary>How blocks are judged. Tests override a rule to show that its breach would be found.</summary>
class BlockRules
{
    /// <summary>Length from which on leaves may have deltas. All lives of a pool have the same.</summary>
    public virtual int LeastWholeBytes => LeafDelta.LeastWholeBytes;

    /// <summary>Whether what a commit is about to call valid is marked in passing.</summary>
    public virtual bool MarksAhead(Leaf leaf) => leaf.Volume.ExpectsOverwrites;

    /// <summary>The first of some blocks that does not match its checksum, or -1.</summary>
    public virtual int FindMismatch(LeafCopy copy, int firstBlock, ReadOnlySpan<byte> data) => copy.FindMismatch(firstBlock, data);

    /// <summary>
    /// Which blocks of a run must be marked before they are overwritten: those that the committed leaf calls valid where they are written.
    /// </summary>
    public virtual BlockSet NeedMarkers(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount)
    {
        var blocks = leaf.CommittedIn(firstBlock, blockCount);
        foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
        {
            if (blocks[slot] == 0) continue;
            for (var bits = (uint)(blocks[slot] & mask); bits != 0; bits &= bits - 1)
            {
                var block = (slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(bits);
                if (!plan.IsInPlace(block)) blocks.Remove(block);
            }
        }

        return blocks;
    }

    /// <summary>Whether what is to be written atomically goes where nothing is.</summary>
    public virtual bool WritesAtomicallyElsewhere => true;

    /// <summary>Blocks at a home of the head's own that nobody would find there, also after a crash.</summary>
    public virtual ushort FreeAtHome(ChunkEntry entry) => (ushort)~(entry.AtHome | entry.NeededAtHome);

    /// <summary>Whether a leaf of a generation has to be kept as it is before it changes, for the newest snapshot.</summary>
    public virtual bool MustFreeze(long generation, long newestSnapshot) => generation > 0 && generation <= newestSnapshot;

    /// <summary>A leaf let go of a chunk: it must not be given out again before a leaf without it is durable.</summary>
    public virtual void LetGo(ChunkSpace space, long chunk) => space.Quarantine(1);

    /// <summary>Whether all of a leaf is logged while the store lacks something of it that was.</summary>
    public virtual bool LogsWhileCaptured => true;

    /// <summary>Whether an atomic write that was under way is said to be none when a log is taken up.</summary>
    public virtual bool VoidsInRecovery => true;

    /// <summary>Whether a log that is taken up hears of what the store has already.</summary>
    public virtual bool CoversRecovered => true;

    /// <summary>Whether the places that a log of recent writes speaks of are kept from others while it is taken up.</summary>
    public virtual bool HoldsRecovered => true;

    /// <summary>Whether the markers that an earlier life left are looked at.</summary>
    public virtual bool AreSuspectsLookedAt => true;
}
