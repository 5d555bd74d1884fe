using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>What a failure of the device is called in NVMe.</summary>
static class DeviceErrors
{
    /// <summary>
    /// Whether the exception is a failure of the device rather than a bug, or what waited was given up.
    /// </summary>
    public static bool IsDeviceError(Exception exception) =>
        exception is (AshlarException and not InvariantException) or OperationCanceledException;

    // Capacity Exceeded is what makes Linux say ENOSPC. What may go away by itself or by another hand may be tried again.
    public static NvmeStatus ToStatus(Exception exception, bool writing) => exception switch
    {
        DeviceFullException => NvmeStatus.CapacityExceeded | NvmeStatus.DoNotRetry,
        SessionFencedException => NvmeStatus.InvalidNamespace | NvmeStatus.DoNotRetry,
        ReservationConflictException => NvmeStatus.ReservationConflict | NvmeStatus.DoNotRetry,
        WriteProtectedException or DeviceReadOnlyException => NvmeStatus.NamespaceWriteProtected | NvmeStatus.DoNotRetry,
        BlockRangeException => NvmeStatus.LbaOutOfRange | NvmeStatus.DoNotRetry,
        OperationCanceledException => NvmeStatus.AbortRequested,
        BlockDeviceException or CorruptDataException =>
            (writing ? NvmeStatus.WriteFault : NvmeStatus.UnrecoveredReadError) | NvmeStatus.DoNotRetry,
        _ => NvmeStatus.InternalError,
    };

    /// <summary>Whether the operator should hear of it: what the host cannot know.</summary>
    public static bool IsToBeTold(NvmeStatus status) =>
        (status & ~NvmeStatus.DoNotRetry) is NvmeStatus.WriteFault or NvmeStatus.UnrecoveredReadError or NvmeStatus.InternalError;
}
