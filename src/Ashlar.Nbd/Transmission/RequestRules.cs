using Ashlar.Nbd.Negotiation;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Transmission;

/// <summary>
/// Decides from the header alone whether a request may be carried out (doc/proto.md, "Request types" and "Error values").
/// Pure, so that every combination can be tried without a socket.
/// </summary>
static class RequestRules
{
    public static NbdError Check(in RequestHeader request, NegotiatedSession session, long exportBytes, bool isReadOnly)
    {
        if (request.Command > CommandCode.BlockStatus || (request.Flags & ~AllowedFlags(request.Command, session)) != CommandFlags.None)
            return NbdError.Invalid;
        if (request.Command == CommandCode.Flush)
            return request.OffsetBytes == 0 && request.LengthBytes == 0 ? NbdError.None : NbdError.Invalid;
        var writes = request.Command is CommandCode.Write or CommandCode.WriteZeroes;
        if (isReadOnly && (writes || request.Command == CommandCode.Trim)) return NbdError.NotPermitted;
        if (request.Command == CommandCode.Read && request.LengthBytes > NbdProtocol.MaximumPayloadBytes) return NbdError.Overflow;
        if (request.Command == CommandCode.Write && request.LengthBytes > NbdProtocol.MaximumPayloadBytes) return NbdError.Invalid;

        // No sum: an offset near 2^64 must not wrap around.
        var size = (ulong)exportBytes;
        if (request.OffsetBytes > size || request.LengthBytes > size - request.OffsetBytes)
            return writes ? NbdError.NoSpace : NbdError.Invalid;

        // A reply to BLOCK_STATUS describes at least one byte, and only what was negotiated.
        if (request.Command == CommandCode.BlockStatus && (!session.BlockStatus || request.LengthBytes == 0)) return NbdError.Invalid;
        return NbdError.None;
    }

    // FUA is offered, so it is accepted everywhere, even where it means nothing.
    static CommandFlags AllowedFlags(CommandCode command, NegotiatedSession session) => CommandFlags.ForceUnitAccess | command switch
    {
        CommandCode.Read when session.StructuredReplies => CommandFlags.DontFragment,
        CommandCode.WriteZeroes => CommandFlags.NoHole | CommandFlags.FastZero,
        CommandCode.BlockStatus => CommandFlags.RequestOne,
        _ => CommandFlags.None,
    };
}
