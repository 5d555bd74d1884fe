using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

// Data of hosts: in the capsule, or asked for by one R2T for all of them as soon as there is room for all of them.
sealed partial class QueuePair
{
    // How often it is looked for data that have not come, in milliseconds.
    const int OverdueInterval = 500;

    PooledBuffer? spare; // Kept while commands follow one another.
    long overdueSoughtAt;

    void ReceiveInCapsule(QueuedCommand command)
    {
        command.Grant(TakeSpare(command.WantedBytes));
        ReceiveInto(command, command.WantedBytes);
        CarryOut(command);
    }

    void ReceiveInto(QueuedCommand command, int lengthBytes)
    {
        if (connection.BufferedBytes < lengthBytes) batch.Send();
        pdus.ReceiveData(command.Buffer!.Span.Slice(command.ReceivedBytes, lengthBytes));
        command.ReceivedBytes += lengthBytes;
        if (!pdus.EndData()) command.IsDamaged = true;
    }

    /// <summary>Asks for the data of a command as soon as there is room.</summary>
    void Solicit(QueuedCommand command)
    {
        if (buffers.TryRent(command.WantedBytes) is not { } buffer)
        {
            grants.Add(command);
            return;
        }
        command.Grant(buffer);
        Span<byte> pdu = stackalloc byte[ReadyToTransferPdu.MaxBytes];
        var length = WriteRequest(pdu, command);
        using (batch.Gate.EnterScope()) batch.Add(pdu[..length]);
    }

    // On any thread: what is asked is sent by the caller.
    void AskElsewhere(QueuedCommand command)
    {
        Span<byte> pdu = stackalloc byte[ReadyToTransferPdu.MaxBytes];
        var length = WriteRequest(pdu, command);
        using (batch.Gate.EnterScope())
        {
            batch.Queue();
            connection.EnqueueCopy(pdu[..length]);
        }
    }

    int WriteRequest(Span<byte> pdu, QueuedCommand command)
    {
        Invariant.Require(command.Buffer is not null && command.WantedBytes is > 0 and <= PduFrame.MaxHostDataBytes);
        command.DataDueAt = connection.NowMilliseconds + (long)Math.Min(int.MaxValue, connection.TransferTimeout.TotalMilliseconds);
        // The identifier of a command is one of its own as long as its data are awaited, which is all that a tag must be.
        var cid = command.Entry.CommandId;
        return new ReadyToTransferPdu(cid, cid, 0, (uint)command.WantedBytes).Write(pdu, digests);
    }

    void ReceiveHostData(in PduFrame frame)
    {
        var data = DataPdu.Read(pdus.Received);
        if (data.TransferTag != data.CommandId || commands.FindSolicited(data.CommandId) is not { } command)
            throw Invalid(FatalStatus.InvalidHeaderField, DataPdu.TransferTagOffset, $"data under the tag {data.TransferTag:X4}h");
        if (data.DataBytes != frame.DataBytes)
        {
            throw Invalid(
                FatalStatus.InvalidHeaderField, DataPdu.DataBytesOffset, $"{data.DataBytes} bytes of data in {frame.DataBytes}");
        }
        if (data.DataOffset != command.ReceivedBytes || data.DataBytes > command.WantedBytes - command.ReceivedBytes)
        {
            throw Invalid(
                FatalStatus.DataOutOfRange, DataPdu.DataOffsetOffset,
                $"{data.DataBytes} bytes at byte {data.DataOffset}, where {command.ReceivedBytes} of {command.WantedBytes} are here");
        }

        var isComplete = command.ReceivedBytes + frame.DataBytes == command.WantedBytes;
        if (isComplete != frame.IsLast)
            throw Invalid(FatalStatus.PduSequenceError, PduHeader.FlagsOffset, "the last data PDU of a request is marked wrongly");
        ReceiveInto(command, frame.DataBytes);
        if (!isComplete)
        {
            command.DataDueAt = connection.NowMilliseconds + (long)Math.Min(int.MaxValue, connection.TransferTimeout.TotalMilliseconds);
            return;
        }
        command.DataDueAt = 0;
        CarryOut(command);
    }

    static FatalErrorException Invalid(FatalStatus status, int field, string what) => new(new(status, (uint)field, what));

    void RefuseOverdue()
    {
        var now = connection.NowMilliseconds;
        if (now - overdueSoughtAt < OverdueInterval) return;
        overdueSoughtAt = now;
        if (commands.FindOverdue(now) is not { } command) return;
        throw new ConnectionException(
            $"connection {connection.Id} from {connection.RemoteEndPoint}: the data of command {command.Entry.CommandId:X4}h did not come");
    }

    PooledBuffer TakeSpare(int minimumBytes)
    {
        if (spare is not null && spare.Length >= minimumBytes)
        {
            var taken = spare;
            spare = null;
            return taken;
        }
        if (buffers.TryRent(minimumBytes) is { } rented) return rented;
        // What this host has running is all there is to wait for: nobody waits for another's memory.
        batch.Send();
        inFlight.WaitForAll();
        return buffers.TryRent(minimumBytes) ?? buffers.RentAlways(minimumBytes);
    }

    void KeepSpare(PooledBuffer? buffer)
    {
        if (buffer is null) return;
        if (spare is null && buffer.Length <= 2 * PduFrame.MaxInCapsuleBytes) spare = buffer;
        else buffer.Dispose();
    }

    // An idle connection holds no buffers but its own for receiving.
    void ReleaseSpare()
    {
        spare?.Dispose();
        spare = null;
    }
}
