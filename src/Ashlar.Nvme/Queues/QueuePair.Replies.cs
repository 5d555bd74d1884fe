using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

// What leaves. Each response tells how far the submission queue was read, so they get their places in the order of the wire under the
// gate; nobody waits for a host while holding it.
sealed partial class QueuePair
{
    const int MaxReplyPieceBytes = 16 << 10;

    int DigestOfDataBytes => digests.Data ? PduHeader.DigestBytes : 0;

    /// <summary>Answers a command. The connection's thread only.</summary>
    void Complete(QueuedCommand command, NvmeStatus status, ulong result = 0)
    {
        KeepSpare(command.TakeBuffer());
        Span<byte> pdu = stackalloc byte[ResponseCapsule.MaxBytes];
        using (batch.Gate.EnterScope())
        {
            var length = WriteResponse(pdu, command, status, result);
            batch.Add(pdu[..length]);
        }
    }

    /// <summary>Answers a command from any thread, which is never held up.</summary>
    public void CompleteElsewhere(QueuedCommand command, NvmeStatus status, ulong result = 0)
    {
        Span<byte> pdu = stackalloc byte[ResponseCapsule.MaxBytes];
        using (batch.Gate.EnterScope())
        {
            var length = WriteResponse(pdu, command, status, result);
            batch.Queue();
            connection.EnqueueCopy(pdu[..length]);
        }
        connection.SendQueued();
    }

    /// <summary>Answers a command with data that are here. The connection's thread only.</summary>
    void CompleteWithData(QueuedCommand command, ReadOnlySpan<byte> data, ulong result)
    {
        Invariant.Require(data.Length <= command.Entry.Data.LengthBytes);
        for (var at = 0; at < data.Length; at += MaxReplyPieceBytes)
        {
            var piece = data.Slice(at, Math.Min(MaxReplyPieceBytes, data.Length - at));
            var room = batch.Reserve(dataAt + piece.Length + DigestOfDataBytes + ResponseCapsule.MaxBytes);
            piece.CopyTo(room.Span[dataAt..]);
            var isLast = at + piece.Length == data.Length;
            using (batch.Gate.EnterScope()) batch.Commit(WriteData(room.Span, command, at, piece.Length, isLast, result));
        }
    }

    /// <summary>Answers a command that cannot be told from one that is under way.</summary>
    void RespondToStranger(ushort commandId, NvmeStatus status)
    {
        Span<byte> pdu = stackalloc byte[ResponseCapsule.MaxBytes];
        using (batch.Gate.EnterScope())
        {
            var length = new ResponseCapsule(0, CurrentHead, commandId, status).Write(pdu, digests);
            batch.Add(pdu[..length]);
        }
    }

    /// <summary>
    /// Writes header and digests around data that are in their place already, and behind the last the end of the command. Under the gate.
    /// </summary>
    /// <returns>Bytes from the first of the header.</returns>
    int WriteData(Span<byte> target, QueuedCommand command, int dataOffset, int dataBytes, bool isLast, ulong result = 0)
    {
        var endsHere = isLast && !isFlowControlled && result == 0;
        var flags = (isLast ? PduFlags.LastPdu : PduFlags.None) | (endsHere ? PduFlags.Success : PduFlags.None);
        // Data beside the buffer of the command would overwrite what the host has there.
        Invariant.Require(dataBytes > 0 && dataOffset + (long)dataBytes <= command.Entry.Data.LengthBytes);
        new DataPdu(command.Entry.CommandId, 0, (uint)dataOffset, (uint)dataBytes)
            .Write(target, PduType.ControllerData, flags, digests, dataAt);
        var end = dataAt + dataBytes;
        if (digests.Data)
        {
            Digests.Write(target[end..], Crc32C.Compute(target.Slice(dataAt, dataBytes)));
            end += PduHeader.DigestBytes;
        }

        if (endsHere) commands.Remove(command);
        else if (isLast) end += WriteResponse(target[end..], command, NvmeStatus.Success, result);
        return end;
    }

    // The host may use the identifier again as soon as it has the response: so it is free before that leaves.
    int WriteResponse(Span<byte> target, QueuedCommand command, NvmeStatus status, ulong result)
    {
        var response = new ResponseCapsule(result, CurrentHead, command.Entry.CommandId, status);
        commands.Remove(command);
        return response.Write(target, digests);
    }

    ushort CurrentHead => isFlowControlled ? (ushort)queueHead : (ushort)0;
}
