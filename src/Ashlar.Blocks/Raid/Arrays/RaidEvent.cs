namespace Ashlar.Blocks.Raid;

/// <summary>What happened to a set.</summary>
public enum RaidEventKind
{
    /// <summary>A place has no device, or one that is older than the set.</summary>
    MemberMissing = 0,

    /// <summary>A device was not used: it is of another time, or was replaced.</summary>
    DeviceIgnored,

    /// <summary>A member did not take a write, and is not used any more.</summary>
    MemberFailed,

    /// <summary>After a crash: what was flushed has been put in its place, what was being written made consistent.</summary>
    Recovered,

    /// <summary>A member is being rebuilt.</summary>
    RebuildStarted,

    /// <summary>A member holds all that it should.</summary>
    RebuildFinished,

    /// <summary>A member could not be rebuilt.</summary>
    RebuildFailed,

    /// <summary>A device waits for a member to fail.</summary>
    SpareAdded,

    /// <summary>A device does not belong to the set any more.</summary>
    DeviceRemoved,

    /// <summary>A stripe was inconsistent or could not be read.</summary>
    Inconsistent,

    /// <summary>All stripes were looked at.</summary>
    ScrubFinished,
}

/// <summary>One event, complete in its message.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Message">One line.</param>
/// <param name="Place">Which member, or null.</param>
/// <param name="Cause">The error behind it, or null.</param>
public sealed record RaidEvent(RaidEventKind Kind, string Message, int? Place = null, Exception? Cause = null);
