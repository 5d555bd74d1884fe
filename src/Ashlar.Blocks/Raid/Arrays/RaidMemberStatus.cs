namespace Ashlar.Blocks.Raid;

/// <summary>One place of a set, or a spare.</summary>
/// <param name="Place">Its number in the layout; null for a spare.</param>
/// <param name="Id">The device's id.</param>
/// <param name="Device">Name of the device; null where there is none.</param>
/// <param name="State">How far it can be relied on.</param>
/// <param name="RebuiltBytes">While it is rebuilt: how much of it is right.</param>
/// <param name="DataBytes">How much it holds in all.</param>
/// <param name="TimeLeft">While it is rebuilt: how long that will take, as it goes now; null where that is not known.</param>
/// <param name="Failure">Why it is not used any more, or cannot be given all that it should hold; or null.</param>
public sealed record RaidMemberStatus(
    int? Place,
    Guid Id,
    string? Device,
    MemberState State,
    long RebuiltBytes,
    long DataBytes,
    TimeSpan? TimeLeft,
    string? Failure)
{
    /// <summary>Whether all members say that this device has the place. Until then another one may have it after a crash.</summary>
    public bool IsSettled { get; init; } = true;

    /// <summary>The device that is being made a copy of it, and is to take its place; null where there is none.</summary>
    public RaidReplacement? Replacement { get; init; }
}

/// <summary>A device that is to take a member's place.</summary>
/// <param name="Id">The device's id.</param>
/// <param name="Device">Name of the device.</param>
/// <param name="CopiedBytes">What it holds of what the member holds.</param>
/// <param name="TimeLeft">How long the rest will take, as it goes now; null where that is not known.</param>
public sealed record RaidReplacement(Guid Id, string Device, long CopiedBytes, TimeSpan? TimeLeft)
{
    /// <summary>Why it cannot be given all; null where it can.</summary>
    public string? Failure { get; init; }
}

/// <summary>How a set is as a whole.</summary>
public enum RaidArrayState
{
    /// <summary>All members are in sync.</summary>
    Healthy = 0,

    /// <summary>Members are missing that the others make up for.</summary>
    Degraded,

    /// <summary>As before, and one is being rebuilt.</summary>
    Rebuilding,

    /// <summary>Too many are missing.</summary>
    Failed,
}
