namespace Ashlar.Blocks;

/// <summary>Why a client may go on no longer.</summary>
public enum FenceReason
{
    /// <summary>The volume was deleted.</summary>
    VolumeDeleted = 0,

    /// <summary>The client was cut off, or has left.</summary>
    ClientDetached,
}

/// <summary>The session was fenced: nothing that it asks for is done any more.</summary>
public sealed class SessionFencedException(string device, FenceReason reason)
    : BlockDeviceException(device, reason == FenceReason.VolumeDeleted ? "the volume was deleted" : "the client was cut off")
{
    /// <summary>Why.</summary>
    public FenceReason Reason { get; } = reason;
}

/// <summary>Another client has reserved the device.</summary>
/// <param name="device">Name of the device.</param>
/// <param name="holder">Who has it; null where all registrants have.</param>
public sealed class ReservationConflictException(string device, string? holder)
    : BlockDeviceException(device, $"reserved by {holder ?? "its registrants"}")
{
    /// <summary>Who has it; null where all registrants have.</summary>
    public string? Holder { get; } = holder;
}

/// <summary>A client has asked that nobody write until it says otherwise.</summary>
public sealed class WriteProtectedException(string device)
    : BlockDeviceException(device, "write-protected by a client");
