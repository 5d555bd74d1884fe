using System.Net;
using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>
/// A submission and a completion queue: all of one connection. Its thread receives commands, carries them out on the spot and gathers
/// what it answers; that is sent when nothing further has been received yet. A command that its device does not complete at once is
/// finished, and answered, elsewhere.
/// </summary>
sealed partial class QueuePair : IDisposable
{
    /// <summary>Entries of a queue.</summary>
    public const int MaxDepth = 128;

    const long MaxInFlightBytes = 64L << 20;

    readonly NvmeNode node;
    readonly int portal;
    readonly Connection connection;
    readonly PduReceiver pdus;
    readonly Digests digests;
    readonly int dataAt;
    readonly BufferShare buffers;
    readonly ReplyBatch batch;
    readonly InFlightRequests inFlight = new(MaxDepth, MaxInFlightBytes);
    readonly LoneRequests lone;
    readonly CommandTable commands = new();
    readonly WriteGrants grants;
    readonly CancellationTokenSource givingUp = new();
    readonly CancellationToken givenUp; // Of every command: nobody wants it any more.
    readonly CancellationTokenRegistration onClosed;
    CancellationTokenRegistration onFenced;
    Controller? controller; // Null until the queue is connected.
    int queueId;
    bool isPart; // Of the association: an I/O queue that has to prove something is none before.
    int depth = 1;
    bool isFlowControlled = true;
    volatile int queueHead;
    bool isEnding;
    int failures;

    public QueuePair(
        NvmeNode node, int portal, Connection connection, PduReceiver pdus, in ConnectionSettings settings, BufferShare buffers)
    {
        this.node = node;
        this.portal = portal;
        this.connection = connection;
        this.pdus = pdus;
        this.buffers = buffers;
        digests = settings.Digests;
        dataAt = DataPdu.DataAt(digests, settings.HostAlignment);
        batch = new(connection, buffers, inFlight);
        lone = new(connection, () => inFlight.Count > 0);
        grants = new(buffers, AskElsewhere, connection.SendQueued);
        givenUp = givingUp.Token;
        onClosed = connection.Closed.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), givingUp);
    }

    /// <summary>The address from which the host has come.</summary>
    public IPAddress From => ((IPEndPoint)connection.RemoteEndPoint).Address;

    /// <summary>Serves until the host leaves, the server drains or the connection breaks.</summary>
    public void Run(CancellationToken draining)
    {
        try
        {
            while (!isEnding && TryReceive(out var frame))
            {
                if (inFlight.IsFull || connection.HasBacklog)
                {
                    batch.Send();
                    inFlight.WaitForRoom();
                }
                using (lone.Begin()) Serve(frame);
                lone.End();
            }
            batch.Send();
            if (!draining.IsCancellationRequested) GiveUpWaiting();
        }
        catch (FatalErrorException)
        {
            batch.Send();
            GiveUpWaiting();
            throw; // The host is told why before the connection closes.
        }
        catch
        {
            connection.Dispose(); // Gives up what is in flight: nobody is left to answer.
            throw;
        }
        finally
        {
            Leave(draining);
        }
    }

    /// <summary>Ends input, so that the queue finishes what is under way, and closes. Any thread.</summary>
    public void Drain() => connection.Drain();

    /// <summary>Cuts the connection. Any thread.</summary>
    public void Cut() => connection.Dispose();

    public void Dispose()
    {
        onFenced.Dispose();
        onClosed.Dispose();
        givingUp.Dispose();
        batch.Dispose();
        ReleaseSpare();
    }

    // Order: nothing of the queue runs any more, so no late write can land; then it is no part of its association any longer, or the
    // association ends with it.
    void Leave(CancellationToken draining)
    {
        inFlight.WaitForAll();
        if (queueId == 0) controller?.Events.End(); // From here on no event answers a request.
        foreach (var command in commands.TakeAll())
        {
            grants.Remove(command); // From here on it gets no buffer.
            command.TakeBuffer()?.Dispose();
        }

        if (controller is null) return;
        onFenced.Dispose();
        if (queueId == 0) node.Controllers.End(controller, draining.IsCancellationRequested);
        else if (isPart) controller.Remove(queueId);
    }

    void GiveUpWaiting()
    {
        // The volume's session is the association's, and goes on with its other queues.
        if (queueId == 0) controller?.Subsystem?.Session.GiveUpWaiting();
    }

    bool TryReceive(out PduFrame frame)
    {
        frame = default;
        lone.TakeNext();
        if (connection.BufferedBytes < PduHeader.SizeBytes)
        {
            batch.Send();
            if (connection.BufferedBytes == 0)
            {
                ReleaseSpare();
                if (!WaitForPdu()) return false;
            }
        }

        RefuseOverdue();
        frame = pdus.ReceiveHeader();
        lone.Arrived();
        if (isPart) controller!.Heard(); // Who has proved nothing keeps no association alive.
        return true;
    }

    bool WaitForPdu()
    {
        while (true)
        {
            switch (connection.WaitForDataOnce())
            {
                case DataArrival.Arrived: return true;
                case DataArrival.Ended: return false;
            }
            RefuseOverdue();
        }
    }

    void Serve(in PduFrame frame)
    {
        switch (frame.Type)
        {
            case PduType.CommandCapsule:
                ReceiveCommand(frame);
                break;
            case PduType.HostData:
                ReceiveHostData(frame);
                break;
            case PduType.HostTermination:
                var cause = TerminationPdu.Read(pdus.Received);
                pdus.SkipData();
                throw new HostTerminationException(cause);
            default:
                throw new FatalErrorException(new(FatalStatus.PduSequenceError, 0, $"a second {frame.Type}"));
        }
    }

    void ReceiveCommand(in PduFrame frame)
    {
        var entry = SubmissionEntry.Read(pdus.Received[CommandCapsule.EntryOffset..]);
        queueHead = (queueHead + 1) % Math.Max(depth, 1);
        if (commands.Count >= depth)
            throw new FatalErrorException(new(FatalStatus.PduSequenceError, 0, $"more than {depth} commands at a time"));
        if (commands.TryAdd(entry) is not { } command)
        {
            pdus.SkipData();
            RespondToStranger(entry.CommandId, NvmeStatus.CommandIdConflict);
            return;
        }

        var status = Admit(entry, frame.DataBytes, out var hostBytes);
        status = Fuse(command, status);
        if (status != NvmeStatus.Success)
        {
            pdus.SkipData();
            Complete(command, status);
        }
        else if (hostBytes == 0)
        {
            CarryOut(command);
        }
        else
        {
            command.WantedBytes = hostBytes;
            if (entry.Data.Kind == SglDescriptor.InCapsule) ReceiveInCapsule(command);
            else Solicit(command);
        }
    }

    /// <summary>Whether a command may begin, and how many bytes it takes from the host.</summary>
    NvmeStatus Admit(in SubmissionEntry entry, int capsuleBytes, out int hostBytes)
    {
        hostBytes = 0;
        if (!entry.HasSgl) return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        var status = entry.IsFabrics ? CheckFabrics(entry, out hostBytes)
            : controller is null ? NvmeStatus.CommandSequenceError | NvmeStatus.DoNotRetry
            : mustAuthenticate ? NvmeStatus.AuthenticationRequired | NvmeStatus.DoNotRetry
            : !controller.Properties.IsReady ? NvmeStatus.CommandSequenceError
            : queueId == 0 ? controller.Admin.Check(entry)
            : CheckIo(entry, out hostBytes);
        if (status != NvmeStatus.Success) return status;
        if (hostBytes == 0) return capsuleBytes == 0 ? NvmeStatus.Success : NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        Invariant.Require(hostBytes <= PduFrame.MaxHostDataBytes);
        return CheckDescriptor(entry.Data, capsuleBytes, hostBytes);
    }

    internal static NvmeStatus CheckDescriptor(in SglDescriptor data, int capsuleBytes, int wantedBytes)
    {
        if (data.LengthBytes != wantedBytes) return NvmeStatus.DataSglLengthInvalid | NvmeStatus.DoNotRetry;
        return data.Kind switch
        {
            SglDescriptor.InCapsule when data.Address != 0 => NvmeStatus.SglOffsetInvalid | NvmeStatus.DoNotRetry,
            SglDescriptor.InCapsule => capsuleBytes == wantedBytes
                ? NvmeStatus.Success
                : NvmeStatus.DataSglLengthInvalid | NvmeStatus.DoNotRetry,
            SglDescriptor.Transport => capsuleBytes == 0
                ? NvmeStatus.Success
                : NvmeStatus.DataSglLengthInvalid | NvmeStatus.DoNotRetry,
            _ => NvmeStatus.SglDescriptorTypeInvalid | NvmeStatus.DoNotRetry,
        };
    }

    /// <summary>A command has all that it needs of the host.</summary>
    void CarryOut(QueuedCommand command)
    {
        if (command.Entry.Fused != FusedPart.None)
        {
            CarryOutFused(command);
            return;
        }
        if (!command.TryRun())
        {
            Complete(command, NvmeStatus.AbortRequested);
        }
        else if (command.IsDamaged)
        {
            Complete(command, NvmeStatus.TransientTransportError);
        }
        else if (command.Entry.IsFabrics)
        {
            RunFabrics(command);
        }
        else if (queueId == 0)
        {
            RunAdmin(command);
        }
        else
        {
            RunIo(command);
        }
    }

    void RunAdmin(QueuedCommand command)
    {
        if ((AdminOpcode)command.Entry.Opcode == AdminOpcode.AsynchronousEventRequest)
        {
            // What is to be told already is told at once, from here.
            if (controller!.Events.TryHold(command, out var told)) return;
            Complete(command, told.Status, told.Result);
            return;
        }

        var reply = controller!.Admin.Run(command.Entry);
        if (reply.Data.IsEmpty) Complete(command, reply.Status, reply.Result);
        else CompleteWithData(command, reply.Data.Span, reply.Result);
    }

    /// <summary>Sees to it that a command of this queue never has effects.</summary>
    public bool TryAbort(ushort commandId) => commands.TryAbort(commandId);
}
