using System.Runtime.CompilerServices;
using Ashlar.Scsi;
using Ashlar.Storage;
using Ashlar.Transport;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

// Data to the initiator (RFC 7143, 11.7): headers and data lie in one buffer as they go out, and the device reads into it.
sealed partial class FullFeaturePhase
{
    void ExecuteRead(IscsiTask task)
    {
        var length = (int)Math.Min(task.Command.DataBytes, task.RoomBytes);
        if (length == 0)
        {
            Respond(task, ScsiResult.Good, runsElsewhere: false);
            tasks.Recycle(task);
            return;
        }
        var blockBytes = task.Command.BlockSizeBytes;
        var segment = Math.Min(parameters.InitiatorMaxRecvDataSegmentLength, parameters.MaxBurstLength) / blockBytes * blockBytes;
        if (segment == 0 || length % blockBytes != 0)
        {
            ReadAndCopy(task, length);
            return;
        }
        var layout = new DataInLayout(length, segment);
        if (!TryTakeRoom(layout, out var own, out var room))
        {
            ReadInPieces(task, length, segment);
            return;
        }
        // Until the step ends, a reset of the unit by another session waits; nothing in it waits for this initiator.
        ValueTask<ScsiResult> pending;
        bool goesOn;
        var heldBytes = own?.Length ?? layout.TotalBytes;
        using (session.BeginInline(task))
        {
            try
            {
                pending = ReadSegments(task.Command, room, layout);
            }
            catch (Exception e)
            {
                pending = ValueTask.FromException<ScsiResult>(e);
            }
            goesOn = !pending.IsCompleted;
            if (goesOn) Detach(task, heldBytes);
            else RespondWithRead(task, Result(pending), room, layout, isGathered: own is null);
        }
        if (goesOn)
        {
            var offset = 0;
            var buffer = own ?? replies.Detach(out offset);
            _ = FinishReadLater(task, pending, buffer, offset, layout, heldBytes);
            return;
        }
        tasks.Recycle(task);
        if (own is null) return;
        try
        {
            replies.SendAll();
        }
        finally
        {
            own.Dispose();
        }
    }

    void RespondWithRead(IscsiTask task, in ScsiResult result, Memory<byte> room, in DataInLayout layout, bool isGathered)
    {
        if (result.Status != ScsiStatus.Good)
        {
            Respond(task, result, runsElsewhere: false);
            return;
        }
        using (replies.Gate.EnterScope())
        {
            WriteHeaders(room.Span, task, layout, task.Command.DataBytes);
            if (isGathered) replies.Commit(layout.TotalBytes);
            else replies.Queue(room);
        }
    }

    /// <summary>
    /// Takes memory for a read and its headers: behind what is gathered where it is short, else of its own.
    /// </summary>
    /// <returns>False when this initiator's share does not reach, with nothing else of it running.</returns>
    bool TryTakeRoom(in DataInLayout layout, out PooledBuffer? own, out Memory<byte> room)
    {
        own = null;
        room = default;
        if (layout.TotalBytes <= ReplyStream.MaxGatheredBytes
            && session.Running.Count == 0
            && replies.TryReserve(layout.TotalBytes) is { } gathered)
        {
            room = gathered;
            return true;
        }
        own = buffers.TryRent(layout.TotalBytes);
        if (own is null)
        {
            replies.SendAll();
            session.Running.WaitForAll();
            own = buffers.TryRent(layout.TotalBytes);
        }
        if (own is null) return false;
        room = own.Memory[..layout.TotalBytes];
        return true;
    }

    /// <summary>Reads and sends one PDU after another, in little memory.</summary>
    void ReadInPieces(IscsiTask task, int length, int segment)
    {
        var blockBytes = task.Command.BlockSizeBytes;
        var most = Math.Min(segment, (BufferShare.AlwaysGrantedBytes - Bhs.SizeBytes) / blockBytes * blockBytes);
        var layout = new DataInLayout(length, most);
        using var piece = buffers.TryRent(BufferShare.AlwaysGrantedBytes) ?? buffers.RentAlways(BufferShare.AlwaysGrantedBytes);
        for (var i = 0; i < layout.SegmentCount; i++)
        {
            var pdu = piece.Memory[..(Bhs.SizeBytes + layout.SegmentBytes(i))];
            ScsiResult result;
            using (session.BeginInline(task)) result = Result(task.Command.ReadAsync(layout.BufferOffset(i), pdu[Bhs.SizeBytes..]));
            if (result.Status != ScsiStatus.Good)
            {
                Respond(task, result, runsElsewhere: false);
                break;
            }
            using (replies.Gate.EnterScope())
            {
                WriteHeader(pdu.Span, task, layout, i, task.Command.DataBytes);
                replies.Queue(pdu);
            }
            replies.SendAll();
        }
        tasks.Recycle(task);
    }

    // What the device has at hand costs no state machine.
    static ValueTask<ScsiResult> ReadSegments(ScsiCommand command, Memory<byte> room, DataInLayout layout)
    {
        for (var i = 0; i < layout.SegmentCount; i++)
        {
            var pending = ReadSegment(command, room, layout, i);
            if (!pending.IsCompletedSuccessfully) return ReadRest(pending, command, room, layout, i + 1);
            var result = pending.Result;
            if (result.Status != ScsiStatus.Good) return new(result);
        }
        return new(ScsiResult.Good);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<ScsiResult> ReadRest(
        ValueTask<ScsiResult> pending, ScsiCommand command, Memory<byte> room, DataInLayout layout, int next)
    {
        while (true)
        {
            var result = await pending;
            if (result.Status != ScsiStatus.Good || next == layout.SegmentCount) return result;
            pending = ReadSegment(command, room, layout, next++);
        }
    }

    static ValueTask<ScsiResult> ReadSegment(ScsiCommand command, Memory<byte> room, in DataInLayout layout, int i) =>
        command.ReadAsync(layout.BufferOffset(i), room.Slice(layout.HeaderOffset(i) + Bhs.SizeBytes, layout.SegmentBytes(i)));

    /// <summary>Answers a read when its device is done. It counts as running until the initiator has taken the last of it.</summary>
    async Task FinishReadLater(
        IscsiTask task, ValueTask<ScsiResult> pending, PooledBuffer buffer, int offset, DataInLayout layout, int heldBytes)
    {
        try
        {
            var result = await ResultLater(pending);
            if (result.Status != ScsiStatus.Good)
            {
                Respond(task, result, runsElsewhere: true);
                return;
            }
            ValueTask sent;
            using (replies.Gate.EnterScope())
            {
                if (!EndRun(task)) return;
                var pdus = buffer.Memory.Slice(offset, layout.TotalBytes);
                WriteHeaders(pdus.Span, task, layout, task.Command.DataBytes);
                sent = replies.QueueAsync(pdus);
            }
            replies.SendQueued();
            await sent;
        }
        catch (Exception e)
        {
            FailedToAnswer(e);
        }
        finally
        {
            if (task.Runs) EndRun(task);
            buffer.Dispose();
            session.Running.Leave(heldBytes);
        }
    }

    /// <summary>Reads whole blocks aside, where the initiator wants a part of a block or takes less than a block per PDU.</summary>
    void ReadAndCopy(IscsiTask task, int length)
    {
        var blockBytes = task.Command.BlockSizeBytes;
        var wholeBytes = (length + blockBytes - 1) / blockBytes * blockBytes;
        // Odd enough to be rare: the connection may wait for it, and try again when memory is short.
        using var blocks = buffers.TryRent(wholeBytes);
        if (blocks is null)
        {
            Respond(task, new(ScsiStatus.Busy), runsElsewhere: false);
        }
        else
        {
            ScsiResult result;
            using (session.BeginInline(task)) result = Result(task.Command.ReadAsync(0, blocks.Memory[..wholeBytes]));
            if (result.Status == ScsiStatus.Good) SendData(task, blocks.Span[..length], task.Command.DataBytes, runsElsewhere: false);
            else Respond(task, result, runsElsewhere: false);
        }
        tasks.Recycle(task);
    }

    /// <summary>Sends the answer of a command that describes something, or only its status.</summary>
    void RespondWithData(IscsiTask task, in ScsiResult result, bool runsElsewhere)
    {
        var length = (int)Math.Min(result.DataIn.Length, task.RoomBytes);
        if (length == 0 || result.Status != ScsiStatus.Good) Respond(task, result, runsElsewhere);
        else SendData(task, result.DataIn.Span[..length], result.DataIn.Length, runsElsewhere);
    }

    void SendData(IscsiTask task, ReadOnlySpan<byte> data, long movedBytes, bool runsElsewhere)
    {
        var segment = Math.Min(parameters.InitiatorMaxRecvDataSegmentLength, parameters.MaxBurstLength) & ~3;
        var layout = new DataInLayout(data.Length, segment);
        using var rented = buffers.TryRent(layout.TotalBytes);
        var room = rented is null ? new byte[layout.TotalBytes] : rented.Span[..layout.TotalBytes];
        for (var i = 0; i < layout.SegmentCount; i++)
        {
            var target = room[(layout.HeaderOffset(i) + Bhs.SizeBytes)..];
            data.Slice(layout.BufferOffset(i), layout.SegmentBytes(i)).CopyTo(target);
        }
        room[^Bhs.Padding(data.Length)..].Clear();
        using (replies.Gate.EnterScope())
        {
            if (runsElsewhere && !EndRun(task)) return;
            WriteHeaders(room, task, layout, movedBytes);
            Emit(room, runsElsewhere);
        }
        if (runsElsewhere) replies.SendQueued();
    }

    /// <summary>Numbers the Data-In PDUs of a command that went well; the last carries its status. Under the gate.</summary>
    void WriteHeaders(Span<byte> pdus, IscsiTask task, in DataInLayout layout, long movedBytes)
    {
        for (var i = 0; i < layout.SegmentCount; i++) WriteHeader(pdus[layout.HeaderOffset(i)..], task, layout, i, movedBytes);
    }

    void WriteHeader(Span<byte> pdu, IscsiTask task, in DataInLayout layout, int i, long movedBytes)
    {
        var segmentsPerBurst = Math.Max(1, parameters.MaxBurstLength / layout.MaxSegmentBytes);
        var isLast = i == layout.SegmentCount - 1;
        // F ends a sequence, which is at most a burst.
        var endsBurst = isLast || (i + 1) % segmentsPerBurst == 0;
        var residual = isLast ? new Residual(movedBytes - task.RoomBytes) : default;
        var header = new DataInPdu(
            task.InitiatorTaskTag, endsBurst, isLast, ScsiStatus.Good, residual, (uint)i, (uint)layout.BufferOffset(i));
        header.Write(pdu, isLast ? replies.CountStatus() : replies.Numbers(), layout.SegmentBytes(i));
    }
}
