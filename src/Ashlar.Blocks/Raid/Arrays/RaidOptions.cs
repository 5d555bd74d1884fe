using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>How a set behaves while it is open.</summary>
public record RaidOptions
{
    /// <summary>A name for messages.</summary>
    public string Name { get; init; } = "raid";

    /// <summary>
    /// Goes on where something may be lost by it: takes devices that hold something else; starts a set that was not closed and lacks a
    /// member although stripes that were being written then cannot be calculated any more; starts with members that are older than what
    /// they should hold where there are no others.
    /// </summary>
    public bool IsForced { get; init; }

    /// <summary>Who opens the set; null for nobody in particular, who asks nobody else either.</summary>
    public RaidHost? Host { get; init; }

    /// <summary>Opens a set also if another host has it, as if that were gone: one that still writes to it destroys it.</summary>
    public bool IsTakenOver { get; init; }

    /// <summary>
    /// What <see cref="RaidArray.Generation"/> was known to be: members that are older than that have been left behind by others, which are
    /// not there, and do not make the set unless it is forced. 0 for nothing.
    /// </summary>
    public long LeastGeneration { get; init; }

    /// <summary>Called with all that happens. It must not block.</summary>
    public Action<RaidEvent>? Events { get; init; }

    /// <summary>Tells what of the set is in use: nothing else is rebuilt and scrubbed. Null for all.</summary>
    public IAllocatedRanges? Allocated { get; init; }

    /// <summary>How fast a member is rebuilt and the set scrubbed, in bytes of a member; 0 for as fast as it goes.</summary>
    public long BackgroundBytesPerSecond { get; init; }

    /// <summary>The same while others read and write; 0 for no difference.</summary>
    public long BusyBytesPerSecond { get; init; } = 64L << 20;

    /// <summary>When stripes that could not be calculated for a member are looked at again; that happens before with other work.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often it is remembered how far a rebuild has come.</summary>
    public long RebuildStepBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Members that take their space from something else, as files do, have all of it from the beginning and keep it: several that share
    /// theirs would run out of it, and fail, at once.
    /// </summary>
    public bool KeepsSpace { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = WorkerClock.Instance;

    /// <summary>Where new ids come from.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;
}

/// <summary>What a new set is like.</summary>
public sealed record RaidCreateOptions : RaidOptions
{
    /// <summary>What the set is to be known by; null for a new id.</summary>
    public Guid? SetId { get; init; }

    /// <summary>How the devices are made one.</summary>
    public required RaidLevel Level { get; init; }

    /// <summary>What lies on one member before the next one's turn comes: a power of two from 4,096 to 16,777,216.</summary>
    public int ChunkBytes { get; init; } = 64 * 1024;

    /// <summary>How many of the devices, the last ones, wait for a member to fail.</summary>
    public int SpareCount { get; init; }

    /// <summary>
    /// Bytes of a member that are looked at after a crash if one of them was being written; doubled where there would be too many.
    /// </summary>
    public long RegionBytes { get; init; } = 64L << 20;

    /// <summary>Devices read as zeros from end to end, so that they need not be zeroed.</summary>
    public bool AreZeroed { get; init; }
}

/// <summary>What of a set is in use, as far as its owner knows.</summary>
public interface IAllocatedRanges
{
    /// <summary>
    /// Whether anything of a range may hold data. Where it says no, what the blocks read as does not matter, and they may be zeroed.
    /// Called before a stripe is worked on, with its lock held: it must not wait for requests to the set. Whoever takes a range into use
    /// says so here before he writes to it.
    /// </summary>
    bool IsAllocated(Lba start, long blockCount);
}
