using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>Why devices do not make a set.</summary>
public enum RaidRefusal
{
    /// <summary>None of them is a member of one.</summary>
    NoMembers = 0,

    /// <summary>They are of different sets.</summary>
    ForeignMember,

    /// <summary>One was given twice.</summary>
    SameDevice,

    /// <summary>Two say that they are the same member: one is a copy of the other.</summary>
    ClonedMember,

    /// <summary>Members have gone on without each other: both hold what the other lacks.</summary>
    SplitBrain,

    /// <summary>Too few of them are there, or are as new as the set.</summary>
    TooFewMembers,

    /// <summary>The set was being written when it was last used, and a member that is missing now was there then.</summary>
    UncleanAndDegraded,

    /// <summary>A device holds something else.</summary>
    InUse,

    /// <summary>The members are of a time before others went on without them, which are not there.</summary>
    LeftBehind,

    /// <summary>Another machine has the set open.</summary>
    InUseElsewhere,

    /// <summary>A device is smaller than what the set uses of it, or has blocks of another size.</summary>
    Unfit,

    /// <summary>The set is not in the state that this needs.</summary>
    WrongState,
}

/// <summary>Devices are refused as a set, or as members of one.</summary>
public sealed class RaidRefusedException(string set, RaidRefusal reason, string message)
    : BlockDeviceException(set, message), IClassifiedFailure
{
    /// <summary>Why.</summary>
    public RaidRefusal Reason { get; } = reason;

    /// <inheritdoc />
    public FailureClass FailureClass => Reason == RaidRefusal.Unfit ? FailureClass.InvalidRequest : FailureClass.Conflict;
}
