using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Nvme;

// Commands of fabrics: they make a connection a queue of a controller, read and set its properties, and end the queue.
sealed partial class QueuePair
{
    NvmeStatus CheckFabrics(in SubmissionEntry entry, out int hostBytes)
    {
        hostBytes = 0;
        switch (entry.FabricsType)
        {
            case FabricsType.Connect:
                if (controller is not null) return NvmeStatus.CommandSequenceError | NvmeStatus.DoNotRetry;
                hostBytes = ConnectData.SizeBytes;
                return NvmeStatus.Success;
            case FabricsType.AuthenticationSend or FabricsType.AuthenticationReceive:
                return CheckAuthentication(entry, out hostBytes);
            case FabricsType.PropertyGet or FabricsType.PropertySet or FabricsType.Disconnect when mustAuthenticate:
                return NvmeStatus.AuthenticationRequired | NvmeStatus.DoNotRetry;
            case FabricsType.PropertyGet or FabricsType.PropertySet when queueId == 0:
            case FabricsType.Disconnect when queueId != 0:
                return controller is null ? NvmeStatus.CommandSequenceError | NvmeStatus.DoNotRetry : NvmeStatus.Success;
            default:
                return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        }
    }

    void RunFabrics(QueuedCommand command)
    {
        switch (command.Entry.FabricsType)
        {
            case FabricsType.Connect:
                Connect(command);
                break;
            case FabricsType.AuthenticationSend:
                TakeAuthentication(command);
                break;
            case FabricsType.AuthenticationReceive:
                AnswerAuthentication(command);
                break;
            case FabricsType.PropertyGet:
                var status = controller!.Properties.Get(command.Entry, out var value);
                Complete(command, status, value);
                break;
            case FabricsType.PropertySet:
                SetProperty(command);
                break;
            default:
                // The queue ends once what came before has been answered; its association goes on.
                batch.Send();
                inFlight.WaitForAll();
                isEnding = true;
                Complete(command, NvmeStatus.Success);
                break;
        }
    }

    // Connect command: dword 10 has the format (low) and the queue (high), dword 11 the size of the queue, from 0, and attributes
    // (bits 16 to 23), dword 12 the keep alive timeout in milliseconds.
    void Connect(QueuedCommand command)
    {
        const uint disableFlowControl = 1 << 18;
        var entry = command.Entry;
        var data = ConnectData.Read(command.Data.Span);
        if ((ushort)entry.Dword10 != 0)
        {
            Complete(command, NvmeStatus.ConnectIncompatibleFormat | NvmeStatus.DoNotRetry);
            return;
        }

        var id = (int)(entry.Dword10 >> 16);
        var size = (int)(ushort)entry.Dword11 + 1;
        if (size is < 2 or > MaxDepth)
        {
            Refuse(command, new(Field: 44, IsInData: false));
            return;
        }

        var mustProve = false;
        var status = id == 0
            ? Associate(data, entry.Dword12, out var found, out var refusal)
            : Join(data, id, out found, out mustProve, out refusal);
        if (status == NvmeStatus.ConnectInvalidParameters)
        {
            Refuse(command, refusal);
            return;
        }
        if (status != NvmeStatus.Success)
        {
            Complete(command, status);
            return;
        }

        controller = found!;
        mustAuthenticate = id == 0 ? !controller.IsDiscovery && controller.Subsystem is null : mustProve;
        isPart = id == 0 || !mustAuthenticate;
        queueId = id;
        depth = size;
        queueHead = 1;
        isFlowControlled = (entry.Dword11 & disableFlowControl) == 0;
        if (isPart && controller.Subsystem is { } subsystem) Watch(subsystem);
        if (controller.IsDiscovery) connection.HandshakeCompletedAsGuest();
        else if (!mustAuthenticate) connection.HandshakeCompleted();
        Complete(command, NvmeStatus.Success, controller.Id | (mustAuthenticate ? AuthenticationRequired : 0));
    }

    // A host that is cut off gets what is under way, and then the end of its connections.
    void Watch(NvmeSubsystem subsystem) =>
        onFenced = subsystem.Session.Fenced.UnsafeRegister(static state => ((QueuePair)state!).Drain(), this);

    NvmeStatus Associate(ConnectData data, uint keepAliveMilliseconds, out Controller? found, out ConnectRefusal refusal)
    {
        found = null;
        refusal = new(ConnectData.SubsystemOffset, IsInData: true);
        if (data.HostName is null)
        {
            refusal = new(ConnectData.HostOffset, IsInData: true);
            return NvmeStatus.ConnectInvalidParameters;
        }
        if (data.ControllerId != ConnectData.AnyController)
        {
            refusal = new(ConnectData.ControllerIdOffset, IsInData: true);
            return NvmeStatus.ConnectInvalidParameters;
        }
        if (data.SubsystemName is null) return NvmeStatus.ConnectInvalidParameters;

        var host = new ClientIdentity(ClientProtocol.Nvme, data.HostName, $"{connection.RemoteEndPoint}")
        {
            Host = data.HostName,
            RegistrantName = data.HostId.ToString("D"),
        };
        NvmeSubsystem? subsystem = null;
        if (data.SubsystemName != NvmeNames.Discovery)
        {
            // Who has something to prove is told nothing before: not even whether there is such a subsystem.
            if (node.Demand(data.SubsystemName, host) is null)
            {
                subsystem = node.Open(data.SubsystemName, host);
                if (subsystem is null) return NvmeStatus.ConnectInvalidParameters;
            }
        }

        var candidate = new Controller(
            node, portal, this, host, data.HostId, connection.LocalEndPoint, data.SubsystemName, subsystem, keepAliveMilliseconds);
        found = node.Controllers.TryAdd(candidate);
        if (found is not null) return NvmeStatus.Success;
        candidate.Dispose();
        return NvmeStatus.ConnectControllerBusy;
    }

    // Names can be known to others, and an export says from which networks its hosts come: so a queue comes the way that its admin queue
    // has come. The refusal is one, so that nobody learns by it what there is. A queue that has to prove something is a part when it has.
    NvmeStatus Join(ConnectData data, int id, out Controller? found, out bool mustProve, out ConnectRefusal refusal)
    {
        mustProve = false;
        refusal = new(ConnectData.ControllerIdOffset, IsInData: true);
        found = node.Controllers.Find(data.ControllerId);
        if (found is null || found.IsDiscovery || found.Name != data.SubsystemName || found.Host.Name != data.HostName
            || found.HostId != data.HostId || found.Portal != portal || !found.From.Equals(From))
        {
            return NvmeStatus.ConnectInvalidParameters;
        }
        mustProve = found.DemandAgain() is not null;
        return mustProve ? found.CheckJoin(id) : found.TryJoin(id, this);
    }

    // The result says which field is wrong: bits 0 to 15 are its offset, bit 16 that it is one of the data.
    void Refuse(QueuedCommand command, ConnectRefusal refusal) => Complete(
        command,
        NvmeStatus.ConnectInvalidParameters | NvmeStatus.DoNotRetry,
        (uint)refusal.Field | (refusal.IsInData ? 1u << 16 : 0));

    void SetProperty(QueuedCommand command)
    {
        batch.Send(); // Ending queues may take its time: earlier answers need not wait for it.
        var status = controller!.Properties.Set(command.Entry, out var change);
        var isDone = false;
        try
        {
            if (change != ControllerChange.None) controller.Change(change, givenUp);
            isDone = true;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            Explain(command.Entry, e);
            status = NvmeStatus.InternalError;
        }
        finally
        {
            if (change == ControllerChange.Shutdown) controller.Properties.EndShutdown(isDone);
        }

        Complete(command, status);
    }
}

/// <summary>The field of a Connect command that is refused.</summary>
readonly record struct ConnectRefusal(int Field, bool IsInData);
