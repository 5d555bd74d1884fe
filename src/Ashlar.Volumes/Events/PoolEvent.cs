namespace Ashlar.Volumes;

/// <summary>What happened in a pool that an operator wants to read once.</summary>
public enum PoolEventKind
{
    /// <summary>The pool was not closed; what was found, and the end of the check of what was being overwritten.</summary>
    Recovery = 0,

    /// <summary>Stable storage is in doubt: writes are refused until the pool is opened again.</summary>
    Failed,

    /// <summary>The disk below has no room for what the pool must write about itself, or has room again.</summary>
    MetadataSpace,

    /// <summary>A block that fails its checksum, or cannot be read.</summary>
    DamagedBlock,

    /// <summary>A piece of the map that cannot be read: one MiB of a volume.</summary>
    DamagedMap,

    /// <summary>A copy of the superblock was damaged; it was written anew from the other.</summary>
    DamagedSuperblock,

    /// <summary>A block whose checksum was taken anew after a crash, because it was being overwritten.</summary>
    Unverified,

    /// <summary>A block that was damaged on the device was mended from another copy, or from parity.</summary>
    Repaired,

    /// <summary>The device refused to take freed space back.</summary>
    Reclaim,

    /// <summary>A volume was finished, undone or lost a part of its space, other than by a request.</summary>
    Volume,

    /// <summary>More happened at a time than the observer could take.</summary>
    LeftOut,
}

/// <summary>How much an event matters.</summary>
public enum PoolEventSeverity
{
    /// <summary>Good to know.</summary>
    Information = 0,

    /// <summary>Somebody should look at it.</summary>
    Warning,

    /// <summary>Data cannot be read, or nothing can be written.</summary>
    Error,
}

/// <summary>One event, complete in its message: what, where, and what to do.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Message">One line, without the time.</param>
/// <param name="Volume">Name of the volume that it concerns, without the pool's; null when it concerns the pool.</param>
/// <param name="Cause">The error behind it, or null.</param>
public sealed record PoolEvent(
    PoolEventKind Kind, PoolEventSeverity Severity, string Message, string? Volume = null, Exception? Cause = null);
