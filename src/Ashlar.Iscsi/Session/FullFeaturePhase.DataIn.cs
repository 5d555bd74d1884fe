using System.Buffers;
using Ashlar.Scsi;
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
        var gathered = layout.TotalBytes <= ReplyStream.MaxGatheredBytes && session.Running.Count == 0;
        var own = gathered ? null : ArrayPool<byte>.Shared.Rent(layout.TotalBytes);
        var room = gathered ? replies.Reserve(layout.TotalBytes) : own.AsMemory(0, layout.TotalBytes);
        ValueTask<ScsiResult> pending;
        try
        {
            pending = ReadSegments(task.Command, room, layout);
        }
        catch (Exception e)
        {
            pending = ValueTask.FromException<ScsiResult>(e);
        }
        if (!pending.IsCompleted)
        {
            var (buffer, offset) = gathered ? replies.Detach() : (own!, 0);
            Detach(task, buffer.Length);
            _ = FinishReadLater(task, pending, buffer, offset, layout);
            return;
        }
        var result = Result(pending);
        if (result.Status != ScsiStatus.Good)
        {
            Respond(task, result, runsElsewhere: false);
        }
        else
        {
            using (replies.Gate.EnterScope())
            {
                WriteHeaders(room.Span, task, layout, task.Command.DataBytes);
                if (gathered) replies.Commit(layout.TotalBytes);
                else replies.Send(room.Span);
            }
        }
        if (own is not null) ArrayPool<byte>.Shared.Return(own);
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

    static async ValueTask<ScsiResult> ReadRest(
        ValueTask<ScsiResult> pending, ScsiCommand command, Memory<byte> room, DataInLayout layout, int next)
    {
        while (true)
        {
            var result = await pending.ConfigureAwait(false);
            if (result.Status != ScsiStatus.Good || next == layout.SegmentCount) return result;
            pending = ReadSegment(command, room, layout, next++);
        }
    }

    static ValueTask<ScsiResult> ReadSegment(ScsiCommand command, Memory<byte> room, in DataInLayout layout, int i) =>
        command.ReadAsync(layout.BufferOffset(i), room.Slice(layout.HeaderOffset(i) + Bhs.SizeBytes, layout.SegmentBytes(i)));

    async Task FinishReadLater(IscsiTask task, ValueTask<ScsiResult> pending, byte[] buffer, int offset, DataInLayout layout)
    {
        ScsiResult result;
        try
        {
            result = await pending.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            result = Failed(e);
        }
        var heldBytes = buffer.Length;
        Finish(task, heldBytes, () =>
        {
            if (result.Status != ScsiStatus.Good)
            {
                Respond(task, result, runsElsewhere: true);
                return;
            }
            var pdus = buffer.AsSpan(offset, layout.TotalBytes);
            using (replies.Gate.EnterScope())
            {
                WriteHeaders(pdus, task, layout, task.Command.DataBytes);
                replies.Send(pdus);
            }
        });
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Reads whole blocks aside, where the initiator wants a part of a block or takes less than a block per PDU.</summary>
    void ReadAndCopy(IscsiTask task, int length)
    {
        var blockBytes = task.Command.BlockSizeBytes;
        var wholeBytes = (length + blockBytes - 1) / blockBytes * blockBytes;
        var blocks = ArrayPool<byte>.Shared.Rent(wholeBytes);
        try
        {
            // Odd enough to be rare: the connection may wait for it.
            var result = Result(task.Command.ReadAsync(0, blocks.AsMemory(0, wholeBytes)));
            if (result.Status == ScsiStatus.Good) SendData(task, blocks.AsSpan(0, length), task.Command.DataBytes, runsElsewhere: false);
            else Respond(task, result, runsElsewhere: false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(blocks);
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
        var pdus = ArrayPool<byte>.Shared.Rent(layout.TotalBytes);
        try
        {
            var room = pdus.AsSpan(0, layout.TotalBytes);
            for (var i = 0; i < layout.SegmentCount; i++)
            {
                var target = room[(layout.HeaderOffset(i) + Bhs.SizeBytes)..];
                data.Slice(layout.BufferOffset(i), layout.SegmentBytes(i)).CopyTo(target);
            }
            room[^Bhs.Padding(data.Length)..].Clear();
            using (replies.Gate.EnterScope())
            {
                WriteHeaders(room, task, layout, movedBytes);
                Emit(room, runsElsewhere);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(pdus);
        }
    }

    /// <summary>Numbers the Data-In PDUs of a command that went well; the last carries its status. Under the gate.</summary>
    void WriteHeaders(Span<byte> pdus, IscsiTask task, in DataInLayout layout, long movedBytes)
    {
        var segmentsPerBurst = Math.Max(1, parameters.MaxBurstLength / layout.MaxSegmentBytes);
        for (var i = 0; i < layout.SegmentCount; i++)
        {
            var isLast = i == layout.SegmentCount - 1;
            // F ends a sequence, which is at most a burst.
            var endsBurst = isLast || (i + 1) % segmentsPerBurst == 0;
            var residual = isLast ? new Residual(movedBytes - task.RoomBytes) : default;
            var header = new DataInPdu(
                task.InitiatorTaskTag, endsBurst, isLast, ScsiStatus.Good, residual, (uint)i, (uint)layout.BufferOffset(i));
            header.Write(pdus[layout.HeaderOffset(i)..], isLast ? replies.CountStatus() : replies.Numbers(), layout.SegmentBytes(i));
        }
    }
}
