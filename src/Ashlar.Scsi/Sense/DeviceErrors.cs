using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>What a failure of the device is called in SCSI.</summary>
static class DeviceErrors
{
    /// <summary>
    /// Whether the exception is a failure of the device rather than a bug. A bug is left to the transport, which reports it.
    /// </summary>
    public static bool IsDeviceError(Exception exception) => exception is AshlarException and not InvariantException;

    /// <summary>How a command ends that met a failure of the device, or was not let through to it.</summary>
    public static ScsiResult ToResult(Exception exception, bool writing) => exception is ReservationConflictException
        ? new(ScsiStatus.ReservationConflict)
        : ScsiResult.Check(ToSense(exception, writing));

    // 27/07 is what makes Linux say ENOSPC and hypervisors pause a guest instead of failing it.
    public static Sense ToSense(Exception exception, bool writing) => exception switch
    {
        DeviceFullException => new(SenseKey.DataProtect, AdditionalSense.SpaceAllocationFailed),
        SessionFencedException => Sense.LogicalUnitNotSupported,
        WriteProtectedException => new(SenseKey.DataProtect, AdditionalSense.SoftwareWriteProtected),
        DeviceReadOnlyException => new(SenseKey.DataProtect, AdditionalSense.WriteProtected),
        BlockRangeException => Sense.LbaOutOfRange,
        BadBlockException bad => new(SenseKey.MediumError, MediumError(writing), (ulong)bad.Block.Value),
        CorruptDataException { Block: { } block } => new(SenseKey.MediumError, MediumError(writing), (ulong)block),
        _ => new(SenseKey.MediumError, MediumError(writing)),
    };

    static AdditionalSense MediumError(bool writing) => writing ? AdditionalSense.WriteError : AdditionalSense.UnrecoveredReadError;
}
