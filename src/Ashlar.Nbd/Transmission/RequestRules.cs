using Ashlar.Nbd.Negotiation;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Transmission;

/// <summary>
/// Decides from the header alone whether a request may be carried out (doc/proto.md, "Request types" and "Error values").
/// Pure, so that every combination can be tried without a socket.
/// </summary>
static class RequestRules
{
    /// <summary>How many bytes follow a header, whatever becomes of the request.</summary>
    public static ulong PayloadBytes(in RequestHeader request, HeaderStyle style) =>
        (style == HeaderStyle.Extended ? request.Flags.Has(CommandFlags.PayloadLength) : request.Command == CommandCode.Write)
            ? request.LengthBytes
            : 0;

    public static NbdError Check(in RequestHeader request, NegotiatedSession session, long exportBytes, bool isReadOnly)
    {
        if (request.Command > CommandCode.BlockStatus || (request.Flags & ~AllowedFlags(request.Command, session)) != CommandFlags.None)
            return NbdError.Invalid;
        if (request.Command == CommandCode.Flush)
            return request.OffsetBytes == 0 && request.LengthBytes == 0 ? NbdError.None : NbdError.Invalid;
        var writes = request.Command is CommandCode.Write or CommandCode.WriteZeroes;
        if (isReadOnly && (writes || request.Command == CommandCode.Trim)) return NbdError.NotPermitted;
        if (request.Command == CommandCode.Read && request.LengthBytes > NbdProtocol.MaximumPayloadBytes) return NbdError.Overflow;
        if (request.Command == CommandCode.Write)
        {
            if (request.LengthBytes > NbdProtocol.MaximumPayloadBytes) return NbdError.Invalid;
            // Then no data follow that could be written.
            if (session.Style == HeaderStyle.Extended && !request.Flags.Has(CommandFlags.PayloadLength)) return NbdError.Invalid;
        }
        // How long its range is stands in the payload, and is looked at when that has been received.
        if (request.Command == CommandCode.BlockStatus && request.Flags.Has(CommandFlags.PayloadLength))
            return StatusFilter.IsLength(request.LengthBytes, session.Contexts.Count) ? NbdError.None : NbdError.Invalid;

        // No sum: an offset near 2^64 must not wrap around.
        var size = (ulong)exportBytes;
        if (request.OffsetBytes > size || request.LengthBytes > size - request.OffsetBytes)
            return writes ? NbdError.NoSpace : NbdError.Invalid;

        // A reply to BLOCK_STATUS describes at least one byte, and only what was negotiated.
        return request.Command == CommandCode.BlockStatus && (session.Contexts.Count == 0 || request.LengthBytes == 0)
            ? NbdError.Invalid
            : NbdError.None;
    }

    // FUA is offered, so it is accepted everywhere, even where it means nothing.
    static CommandFlags AllowedFlags(CommandCode command, NegotiatedSession session) => CommandFlags.ForceUnitAccess | command switch
    {
        CommandCode.Read when session.HasChunks => CommandFlags.DontFragment,
        CommandCode.Write when session.Style == HeaderStyle.Extended => CommandFlags.PayloadLength,
        CommandCode.WriteZeroes => CommandFlags.NoHole | CommandFlags.FastZero,
        CommandCode.BlockStatus when session.Style == HeaderStyle.Extended => CommandFlags.RequestOne | CommandFlags.PayloadLength,
        CommandCode.BlockStatus => CommandFlags.RequestOne,
        _ => CommandFlags.None,
    };
}
