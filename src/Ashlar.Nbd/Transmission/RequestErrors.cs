using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Transmission;

/// <summary>Turns errors of devices into the few that the protocol has.</summary>
static class RequestErrors
{
    public static NbdError Of(Exception exception, CommandCode command) => exception switch
    {
        BlockRangeException => command is CommandCode.Write or CommandCode.WriteZeroes ? NbdError.NoSpace : NbdError.Invalid,
        ChangesUnknownException => NbdError.Invalid, // Of a context that there was.
        DeviceFullException => NbdError.NoSpace,
        DeviceReadOnlyException or ReservationConflictException or WriteProtectedException => NbdError.NotPermitted,
        SessionFencedException => NbdError.Shutdown,
        OperationCanceledException => NbdError.Shutdown, // The client has left, and what waited was given up.
        NotSupportedException when command == CommandCode.WriteZeroes => NbdError.NotSupported,
        _ => NbdError.InputOutput,
    };

    /// <summary>What a client with structured replies may show. It names nothing of the server's inside.</summary>
    public static ReadOnlySpan<byte> MessageOf(NbdError error) => error switch
    {
        NbdError.NotPermitted => "read-only, write-protected or reserved by another client"u8,
        NbdError.Invalid => "invalid command, flag, length or range"u8,
        NbdError.NoSpace => "no space left, or beyond the end of the export"u8,
        NbdError.Overflow => "longer than the largest payload"u8,
        NbdError.NotSupported => "zeros cannot be written fast here"u8,
        NbdError.Shutdown => "the server, or this export, goes away"u8,
        _ => "the device failed"u8,
    };
}
