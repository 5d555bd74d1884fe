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

    /// <summary>MiB of volumes with blocks that are marked as being overwritten in place.</summary>
    public required long MarkedLeaves { get; init; }

    /// <summary>Blocks of 4,096 bytes that are marked: what an unclean stop would have to check.</summary>
    public required long MarkedBlocks { get; init; }

    /// <summary>Blocks whose checksum was taken anew, since the pool was opened, because a crash had struck while they were being
    /// overwritten: old, new or torn.</summary>
    public required long UnverifiedBlocks { get; init; }

    /// <summary>How far the check after an unclean stop has come.</summary>
    public required RecoveryProgress Recovery { get; init; }

    /// <summary>Blocks that were damaged on the device and were mended from another copy, or from parity.</summary>
    public long RepairedBlocks { get; init; }

    /// <summary>Requests that met a block which fails its checksum.</summary>
    public required long CorruptBlocks { get; init; }

    /// <summary>Requests that failed because a piece of the map cannot be read.</summary>
    public required long DamagedMapReads { get; init; }

    /// <summary>Chunks given back to the device.</summary>
    public required long ChunksFreed { get; init; }

    /// <summary>Times that the device refused to punch freed space.</summary>
    public required long PunchFailures { get; init; }

    /// <summary>Memory in use for the map, in bytes.</summary>
    public required long MapCacheBytes { get; init; }

    /// <summary>Pieces of the map that were not in memory when they were asked for.</summary>
    public required long MapLoads { get; init; }

    /// <summary>Whether the disk of the map has no room, so that nothing new can be mapped.</summary>
    public required bool IsMapDiskFull { get; init; }

    /// <summary>How far deleted volumes have given back their space; none when all have.</summary>
    public required DeletionProgress Deletions { get; init; }

    /// <summary>The failure that stopped writes, or null.</summary>
    public required Exception? Failure { get; init; }
}
