using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.Scsi;
using Ashlar.Storage;
using Ashlar.Transport;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

// SCSI commands: arrival, execution, status (RFC 7143, 11.3 and 11.4).
sealed partial class FullFeaturePhase
{
    void ReceiveCommand(ReadOnlySpan<byte> header, int immediateBytes)
    {
        var pdu = ScsiCommandPdu.Read(header);
        if (tasks.Contains(pdu.InitiatorTaskTag) || pdu.InitiatorTaskTag == Bhs.NoTag)
        {
            SkipData(header, 0);
            Reject(header, pdu.InitiatorTaskTag == Bhs.NoTag ? RejectReason.InvalidPduField : RejectReason.TaskInProgress);
            return;
        }
        if (pdu.Immediate && tasks.Count >= TaskSet.MaxTasks)
        {
            SkipData(header, 0);
            Reject(header, RejectReason.TooManyImmediateCommands);
            return;
        }
        connection.Skip(Bhs.ReadAhsLength(header)); // Longer CDBs and bidirectional commands are not supported.

        var lun = header.Slice(Bhs.LunOffset, LunAddress.SizeBytes);
        var task = tasks.Rent();
        task.Begin(pdu, BinaryPrimitives.ReadUInt64BigEndian(lun), session.Nexus!.FindUnit(lun));
        session.Nexus.Begin(task.Command, lun, header.Slice(ScsiCommandPdu.CdbOffset, ScsiCommandPdu.CdbBytes));
        if (CheckTransfer(pdu, immediateBytes, task.Command) is { } refusal)
        {
            RefuseData(header, pdu, task, refusal);
            return;
        }
        var wanted = task.Command.Direction == DataDirection.Out ? (int)Math.Min(task.ExpectedBytes, task.Command.DataBytes) : 0;
        task.Expect(wanted);
        task.ExpectsUnsolicited = pdu.Writes && !pdu.Final;
        if (wanted > 0 && !TryTakeRoom(task, dataComesUnasked: immediateBytes > 0 || task.ExpectsUnsolicited))
        {
            RefuseData(header, pdu, task, new(ScsiStatus.TaskSetFull));
            return;
        }
        ReceiveInto(task, immediateBytes);
        task.UnsolicitedLimit = (int)Math.Min(task.ExpectedBytes, (uint)parameters.FirstBurstLength);
        task.SolicitedBytes = task.BurstEnd = task.ReceivedBytes;
        if (!task.ExpectsUnsolicited && task.ReceivedBytes >= wanted)
        {
            Execute(task);
            return;
        }
        tasks.Wait(task);
        if (task.IsCounted) session.Window.TaskBegins();
        if (task.ExpectsUnsolicited) session.Solicitor.ExpectData(task);
        else if (task.HasBuffer) session.Solicitor.Solicit(task, runsElsewhere: false);
        else session.Grants.Add(task);
    }

    /// <summary>
    /// Takes memory for a write. One whose data has to be asked for may come without, and waits for it; one whose data comes
    /// anyhow is refused when this initiator's share does not reach, and the initiator tries again.
    /// </summary>
    bool TryTakeRoom(IscsiTask task, bool dataComesUnasked)
    {
        var room = buffers.TryRent(task.WantedBytes);
        if (room is null && !dataComesUnasked) return true;
        if (room is null)
        {
            // What this session has running is all there is to wait for: nobody waits for another's memory.
            replies.SendAll();
            session.Running.WaitForAll();
            room = buffers.TryRent(task.WantedBytes);
            // With nothing else at all, a small write always gets on.
            if (room is null && task.WantedBytes <= BufferShare.AlwaysGrantedBytes && tasks.WaitingCount == 0)
                room = buffers.RentAlways(task.WantedBytes);
        }
        if (room is null) return false;
        task.Grant(room);
        return true;
    }

    /// <summary>Refuses a command for what it says of its data, or because the unit refused it.</summary>
    ScsiResult? CheckTransfer(in ScsiCommandPdu pdu, int immediateBytes, ScsiCommand command)
    {
        if (command.IsRefused) return command.Refusal;
        // A write that calls itself a read has no data: nothing of it can be done. (A read that calls itself a write can; its
        // data has nowhere to go, which the residual says.)
        if (command.Direction == DataDirection.Out && command.DataBytes > 0 && pdu.Reads && !pdu.Writes)
            return ScsiResult.Check(new(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInCommandInformationUnit));
        // Too much for commands that compare or repeat: what was meant is not what is said.
        if (command.TakesExactData && command.DataBytes > 0 && pdu.Writes && pdu.ExpectedDataTransferLength > command.DataBytes)
            return ScsiResult.Check(new(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInCommandInformationUnit));
        // 11.4.7.2: data that nobody asked for.
        var allowed = pdu.Writes && parameters.ImmediateData
            ? Math.Min(pdu.ExpectedDataTransferLength, (uint)parameters.FirstBurstLength)
            : 0;
        if (immediateBytes > allowed || (pdu.Writes && !pdu.Final && parameters.InitialR2T))
            return ScsiResult.Check(new(SenseKey.AbortedCommand, AdditionalSense.UnexpectedUnsolicitedData));
        return null;
    }

    void RefuseData(ReadOnlySpan<byte> header, in ScsiCommandPdu pdu, IscsiTask task, in ScsiResult refusal)
    {
        var dataBytes = Bhs.ReadDataSegmentLength(header);
        connection.Skip(dataBytes + Bhs.Padding(dataBytes));
        if (pdu.Writes && !pdu.Final) tasks.RememberEnded(pdu.InitiatorTaskTag);
        Respond(task, refusal, runsElsewhere: false);
        tasks.Recycle(task);
    }

    /// <summary>All data is there.</summary>
    void Execute(IscsiTask task)
    {
        if (session.Running.IsFull || (task.IsOrdered && session.Running.Count > 0)) replies.SendAll();
        session.Running.WaitForRoom();
        if (task.IsOrdered) session.Running.WaitForAll();
        if (task.Command.IsRefused)
        {
            Respond(task, task.Command.Refusal, runsElsewhere: false);
            tasks.Recycle(task);
            return;
        }
        // What was done before should not wait for what may take its time.
        if (task.Command.MayWait) replies.SendAll();
        if (task.Command.ReadsMedium) ExecuteRead(task);
        else ExecuteOther(task);
        // Whatever comes behind it waits, also what would abort it. Every command has an end by itself, a copy by its time.
        if (task.IsOrdered) session.Running.WaitForAll();
    }

    void ExecuteOther(IscsiTask task)
    {
        ValueTask<ScsiResult> pending;
        bool goesOn;
        using (session.BeginInline(task))
        {
            try
            {
                pending = task.Command.ExecuteAsync(task.Data);
            }
            catch (Exception e)
            {
                pending = ValueTask.FromException<ScsiResult>(e);
            }
            goesOn = !pending.IsCompleted;
            if (goesOn) Detach(task, task.BufferBytes);
            else RespondWithData(task, Result(pending), runsElsewhere: false);
        }
        if (goesOn) _ = FinishLater(task, pending, task.BufferBytes);
        else tasks.Recycle(task);
    }

    async Task FinishLater(IscsiTask task, ValueTask<ScsiResult> pending, int heldBytes)
    {
        try
        {
            var result = await ResultLater(pending);
            RespondWithData(task, result, runsElsewhere: true);
        }
        catch (Exception e)
        {
            FailedToAnswer(e);
        }
        finally
        {
            if (task.Runs) EndRun(task);
            task.End();
            session.Running.Leave(heldBytes);
        }
    }

    /// <summary>The connection's thread leaves a command that goes on.</summary>
    void Detach(IscsiTask task, int heldBytes)
    {
        if (task.IsCounted) session.Window.TaskBegins();
        session.Running.Enter(heldBytes);
        tasks.Run(task);
    }

    /// <summary>
    /// A command that ran elsewhere is done. Under the gate under which its answer is numbered: an abort that no longer finds the command
    /// is answered behind it.
    /// </summary>
    /// <returns>Whether it is to be answered.</returns>
    bool EndRun(IscsiTask task)
    {
        if (task.IsCounted) session.Window.TaskEnds();
        return tasks.EndRun(task);
    }

    // Nothing may escape from what runs elsewhere: there is nobody above. The connection's thread finds it broken too.
    void FailedToAnswer(Exception e)
    {
        if (e is not ConnectionException) node.Report($"iscsi: {parameters.InitiatorName}: {FailureLine.Of(e)}");
        session.Cut();
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<ScsiResult> ResultLater(ValueTask<ScsiResult> pending)
    {
        try
        {
            return await pending;
        }
        catch (Exception e)
        {
            return Failed(e);
        }
    }

    /// <summary>The result of a command that is done; one that is not is waited for.</summary>
    ScsiResult Result(in ValueTask<ScsiResult> pending)
    {
        try
        {
            return pending.IsCompleted ? pending.GetAwaiter().GetResult() : pending.AsTask().GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            return Failed(e);
        }
    }

    ScsiResult Failed(Exception e)
    {
        // What it waited for was given up. An aborted command is not answered; that of an initiator that logs out is.
        if (e is OperationCanceledException) return ScsiResult.Check(new(SenseKey.AbortedCommand, AdditionalSense.None));
        node.Report($"iscsi: a command of {parameters.InitiatorName} failed for a reason of our own: {FailureLine.Of(e)}");
        return ScsiResult.Check(Sense.InternalTargetFailure);
    }

    /// <summary>Sends the status of a command that moved no data to the initiator.</summary>
    void Respond(IscsiTask task, in ScsiResult result, bool runsElsewhere)
    {
        Span<byte> pdu = stackalloc byte[Bhs.SizeBytes + 2 + Sense.MaxSizeBytes + 2];
        var dataBytes = 0;
        if (result.Status == ScsiStatus.CheckCondition)
        {
            var senseBytes = result.Sense.Write(pdu[(Bhs.SizeBytes + 2)..], task.Command.DescriptorSense);
            BinaryPrimitives.WriteUInt16BigEndian(pdu[Bhs.SizeBytes..], (ushort)senseBytes);
            dataBytes = 2 + senseBytes;
        }
        // Of a command that was refused or failed, nothing counts as moved.
        long moved = 0;
        if (result.Status == ScsiStatus.Good)
            moved = task.Command.Direction == DataDirection.In && !task.Command.ReadsMedium ? result.DataIn.Length : task.Command.DataBytes;
        var residual = new Residual(moved - (task.Command.Direction == DataDirection.In ? task.RoomBytes : task.ExpectedBytes));
        var response = new ScsiResponsePdu(task.InitiatorTaskTag, result.Status, residual, ExpDataSN: task.R2TCount);
        var padding = Bhs.Padding(dataBytes);
        pdu.Slice(Bhs.SizeBytes + dataBytes, padding).Clear();
        using (replies.Gate.EnterScope())
        {
            if (runsElsewhere && !EndRun(task)) return;
            response.Write(pdu, replies.CountStatus(), dataBytes);
            Emit(pdu[..(Bhs.SizeBytes + dataBytes + padding)], runsElsewhere);
        }
        if (runsElsewhere) replies.SendQueued();
    }

    void Emit(ReadOnlySpan<byte> pdu, bool runsElsewhere)
    {
        if (runsElsewhere) replies.QueueCopy(pdu);
        else replies.Gather(pdu);
    }
}
