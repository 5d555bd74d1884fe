using Ashlar.Scsi;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

// Task management (RFC 7143, 11.5 and 11.6). The answer says that the aborted commands have no further effect, so it waits
// for those that run.
sealed partial class FullFeaturePhase
{
    /// <summary>Carries out a function and answers.</summary>
    /// <returns>False when the connection is to be closed.</returns>
    bool ManageTasks(ReadOnlySpan<byte> header)
    {
        var request = TaskManagementRequestPdu.Read(header);
        replies.SendAll(); // What is answered already need not wait for what is aborted.
        var unit = session.Nexus!.FindUnit(header[Bhs.LunOffset..]);
        var result = request.Function switch
        {
            TaskManagementFunction.AbortTask => AbortTask(request),
            TaskManagementFunction.AbortTaskSet => AbortTaskSet(unit),
            TaskManagementFunction.ClearTaskSet => ClearTaskSet(unit),
            TaskManagementFunction.LogicalUnitReset => ResetUnit(unit),
            TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset => ResetTarget(),
            TaskManagementFunction.TaskReassign => TaskManagementResult.ReassignNotSupported,
            _ => TaskManagementResult.NotSupported,
        };
        Span<byte> pdu = stackalloc byte[Bhs.SizeBytes];
        using (replies.Gate.EnterScope())
        {
            new TaskManagementResponsePdu(request.InitiatorTaskTag, result).Write(pdu, replies.CountStatus());
            replies.Gather(pdu);
        }
        if (request.Function != TaskManagementFunction.TargetColdReset) return true;
        // A cold reset ends all sessions of the target (11.5.1), this one too once the answer is out.
        replies.SendAll();
        foreach (var other in OtherSessions())
            if (other.Key.TargetName == session.Key.TargetName) other.Cut();
        return false;
    }

    TaskManagementResult AbortTask(in TaskManagementRequestPdu request)
    {
        var tag = request.ReferencedTaskTag;
        if (AbortOwn(task => task.InitiatorTaskTag == tag) > 0) return TaskManagementResult.Complete;
        // A command that has not come yet counts as aborted (11.5.5, 11.6.1); one that came has been answered.
        return session.Window.Contains(request.RefCmdSN) ? TaskManagementResult.Complete : TaskManagementResult.NoSuchTask;
    }

    TaskManagementResult AbortTaskSet(LogicalUnit? unit)
    {
        if (unit is null) return TaskManagementResult.NoSuchLun;
        AbortOwn(task => task.Unit == unit);
        return TaskManagementResult.Complete;
    }

    TaskManagementResult ClearTaskSet(LogicalUnit? unit)
    {
        if (unit is null) return TaskManagementResult.NoSuchLun;
        AbortEverywhere(other => other == unit, static (other, cleared) =>
            other.Nexus!.Attention(cleared, AdditionalSense.CommandsClearedByAnotherInitiator));
        return TaskManagementResult.Complete;
    }

    TaskManagementResult ResetUnit(LogicalUnit? unit)
    {
        if (unit is null) return TaskManagementResult.NoSuchLun;
        AbortEverywhere(other => other == unit, static (_, _) => { });
        unit.Reset();
        return TaskManagementResult.Complete;
    }

    TaskManagementResult ResetTarget()
    {
        var units = session.Nexus!.Units.ToHashSet();
        AbortEverywhere(units.Contains, static (_, _) => { });
        foreach (var unit in units) unit.Reset();
        return TaskManagementResult.Complete;
    }

    int AbortOwn(Func<IscsiTask, bool> fits)
    {
        using var abort = new TaskAbort();
        var count = tasks.Abort(abort, fits);
        DropAborted();
        abort.Wait();
        return count;
    }

    /// <summary>Aborts the commands of all sessions on some units and waits until none of them can change anything.</summary>
    void AbortEverywhere(Func<LogicalUnit, bool> isMeant, Action<IscsiSession, LogicalUnit> tell)
    {
        using var abort = new TaskAbort();
        tasks.Abort(abort, task => task.Unit is { } unit && isMeant(unit));
        DropAborted();
        foreach (var other in OtherSessions())
        {
            // First, so that a command that goes on elsewhere is found among those.
            other.EndInlineCommand(isMeant);
            var affected = new HashSet<LogicalUnit>();
            other.Tasks.Abort(abort, task =>
            {
                if (task.Unit is not { } unit || !isMeant(unit)) return false;
                affected.Add(unit);
                return true;
            });
            foreach (var unit in affected) tell(other, unit);
        }
        abort.Wait();
    }

    IEnumerable<IscsiSession> OtherSessions() => node.Sessions.All.Where(other => other != session);

    /// <summary>Frees what was aborted while it waited for data; data that still comes for it is ignored.</summary>
    void DropAborted()
    {
        foreach (var task in tasks.TakeAborted())
        {
            session.Grants.Remove(task);
            if (task.IsCounted) session.Window.TaskEnds();
            tasks.RememberEnded(task.InitiatorTaskTag);
            tasks.Recycle(task);
        }
    }
}
