namespace Ashlar.Blocks;

/// <summary>
/// How volumes are reached through a portal: what SCSI calls the state of a target port group, and NVMe that of an ANA group.
/// </summary>
public enum PathState
{
    /// <summary>By the best path.</summary>
    Optimized = 0,

    /// <summary>By one that others are preferred to.</summary>
    NonOptimized,

    /// <summary>Not: the path waits until it is needed.</summary>
    Standby,

    /// <summary>Not.</summary>
    Unavailable,
}
