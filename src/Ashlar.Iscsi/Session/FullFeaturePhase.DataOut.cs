using Ashlar.Scsi;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

// Data from the initiator (RFC 7143, 11.7 and 11.8). DataPDUInOrder and DataSequenceInOrder are Yes, so data comes gapless.
sealed partial class FullFeaturePhase
{
    void ReceiveDataOut(ReadOnlySpan<byte> header, int dataBytes)
    {
        var pdu = DataOutPdu.Read(header);
        var task = tasks.FindWaiting(pdu.InitiatorTaskTag);
        if (task is null)
        {
            SkipData(header, 0);
            // What was on its way when its command ended is nobody's fault.
            if (!tasks.HasEnded(pdu.InitiatorTaskTag)) Reject(header, RejectReason.InvalidPduField);
            return;
        }
        if (CheckDataOut(task, pdu, dataBytes) is { } problem)
        {
            SkipData(header, 0);
            session.Grants.Remove(task);
            EndWait(task, dataMayCome: true);
            Respond(task, ScsiResult.Check(new(SenseKey.AbortedCommand, problem)), runsElsewhere: false);
            tasks.Recycle(task);
            return;
        }
        connection.Skip(Bhs.ReadAhsLength(header));
        ReceiveInto(task, dataBytes);
        task.NextDataSN++;
        session.Solicitor.ExpectData(task);
        if (!pdu.Final) return;

        task.NextDataSN = 0;
        if (task.ExpectsUnsolicited)
        {
            task.ExpectsUnsolicited = false;
            task.SolicitedBytes = task.BurstEnd = task.ReceivedBytes;
        }
        else
        {
            task.BurstsDone++;
        }
        if (task.ReceivedBytes < task.WantedBytes)
        {
            session.Solicitor.Solicit(task, runsElsewhere: false);
            return;
        }
        if (EndWait(task, dataMayCome: false)) Execute(task);
        else tasks.Recycle(task);
    }

    AdditionalSense? CheckDataOut(IscsiTask task, in DataOutPdu pdu, int dataBytes)
    {
        if (task.ExpectsUnsolicited)
        {
            if (pdu.TargetTransferTag != Bhs.NoTag) return AdditionalSense.DataPhaseError;
            if (dataBytes > task.UnsolicitedLimit - task.ReceivedBytes) return AdditionalSense.UnexpectedUnsolicitedData;
        }
        else
        {
            if (pdu.TargetTransferTag == Bhs.NoTag) return AdditionalSense.UnexpectedUnsolicitedData;
            if (!task.HasBuffer || pdu.TargetTransferTag != task.FirstTransferTag + task.BurstsDone) return AdditionalSense.DataPhaseError;
            var due = BurstEnd(task) - task.ReceivedBytes;
            // A burst ends where its R2T said, no sooner and no later.
            if (dataBytes > due || (pdu.Final && dataBytes < due)) return AdditionalSense.IncorrectAmountOfData;
        }
        if (pdu.DataSN != task.NextDataSN || pdu.BufferOffset != (uint)task.ReceivedBytes) return AdditionalSense.DataPhaseError;
        return null;
    }

    int BurstEnd(IscsiTask task) =>
        (int)Math.Min(task.WantedBytes, task.BurstEnd + ((task.BurstsDone + 1) * (long)parameters.MaxBurstLength));

    /// <summary>Receives data into the command's buffer; what the command does not want is read off.</summary>
    void ReceiveInto(IscsiTask task, int dataBytes)
    {
        var room = task.NextRoom(dataBytes);
        if (!room.IsEmpty) connection.Receive(room);
        var rest = dataBytes - room.Length + Bhs.Padding(dataBytes);
        if (rest > 0) connection.Skip(rest);
        task.Received(dataBytes);
    }

    /// <summary>The command waits no longer.</summary>
    /// <returns>False when the command was aborted.</returns>
    bool EndWait(IscsiTask task, bool dataMayCome)
    {
        if (task.IsCounted) session.Window.TaskEnds();
        if (dataMayCome) tasks.RememberEnded(task.InitiatorTaskTag);
        return tasks.EndWait(task);
    }
}
