namespace Ashlar.Volumes;

/// <summary>Counters of a pool since it was opened.</summary>
public sealed record PoolStatistics
{
    /// <summary>Commits that wrote the map.</summary>
    public required long Commits { get; init; }

    /// <summary>Flushes of the data device.</summary>
    public required long DataFlushes { get; init; }

    /// <summary>Leaves of the map written.</summary>
    public required long LeavesWritten { get; init; }

    /// <summary>Durable writes of markers before overwriting in place.</summary>
    public required long MarkerSyncs { get; init; }

    /// <summary>Leaves marked as being overwritten in place: what an unclean stop would have to check, in MiB.</summary>
    public required long MarkedLeaves { get; init; }

    /// <summary>Blocks whose checksum was recomputed when the pool was opened after a crash: torn or newer than their
    /// checksum, and therefore not verified since the crash.</summary>
    public required long UnverifiedBlocks { get; init; }

    /// <summary>Blocks read to check them when the pool was opened after a crash.</summary>
    public required long RecoveredBlocks { get; init; }

    /// <summary>Blocks that failed their checksum on read.</summary>
    public required long CorruptBlocks { get; init; }

    /// <summary>Chunks given back to the device.</summary>
    public required long ChunksFreed { get; init; }

    /// <summary>Times that the device refused to punch freed space.</summary>
    public required long PunchFailures { get; init; }

    /// <summary>Memory in use for the map, in bytes.</summary>
    public required long MapCacheBytes { get; init; }

    /// <summary>The failure that stopped writes, or null.</summary>
    public required Exception? Failure { get; init; }
}
