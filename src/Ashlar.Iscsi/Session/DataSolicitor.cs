using Ashlar.Storage;
using Ashlar.Transport;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Asks for the data of writes (RFC 7143, 11.8), as much at a time as was settled.</summary>
sealed class DataSolicitor(Connection connection, IscsiSession session)
{
    uint nextTransferTag = 1; // Under the gate of the replies.

    /// <summary>
    /// Asks for data that there is room for. On the connection's thread; elsewhere only for a command that waits for nothing
    /// else, and what was asked is sent by the caller.
    /// </summary>
    public void Solicit(IscsiTask task, bool runsElsewhere)
    {
        var parameters = session.Parameters;
        Span<byte> pdu = stackalloc byte[Bhs.SizeBytes];
        ExpectData(task);
        using (session.Replies.Gate.EnterScope())
        {
            if (task.R2TCount == 0) task.FirstTransferTag = TakeTags((task.WantedBytes / parameters.MaxBurstLength) + 1);
            while (task.SolicitedBytes < task.WantedBytes && task.R2TCount - task.BurstsDone < (uint)parameters.MaxOutstandingR2T)
            {
                var length = Math.Min(parameters.MaxBurstLength, task.WantedBytes - task.SolicitedBytes);
                var request = new ReadyToTransferPdu(
                    task.InitiatorTaskTag, task.FirstTransferTag + task.R2TCount, task.R2TCount, (uint)task.SolicitedBytes, (uint)length);
                task.SolicitedBytes += length;
                task.R2TCount++;
                request.Write(pdu, session.Replies.Numbers(), task.Lun);
                // Else the initiator would send beyond the buffer.
                Invariant.Require(length > 0 && task.SolicitedBytes <= task.WantedBytes);
                if (runsElsewhere) session.Replies.QueueCopy(pdu);
                else session.Replies.Gather(pdu);
            }
        }
    }

    /// <summary>Data is due that was asked for, or announced.</summary>
    public void ExpectData(IscsiTask task) =>
        task.DataDueAt = connection.NowMilliseconds + (long)Math.Min(int.MaxValue, connection.TransferTimeout.TotalMilliseconds);

    // Tags of one command follow each other; FFFFFFFF is no tag.
    uint TakeTags(int count)
    {
        var tag = nextTransferTag > uint.MaxValue - (2 * (uint)count) ? 1 : nextTransferTag;
        nextTransferTag = tag + (uint)count;
        Invariant.Require(tag > 0 && nextTransferTag > tag);
        return tag;
    }
}
