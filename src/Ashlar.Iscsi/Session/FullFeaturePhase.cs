using Ashlar.Scsi;
using Ashlar.Transport;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>
/// A session at work (RFC 7143, 4.2): takes PDUs one after another on the connection's thread and executes commands there.
/// Replies are gathered while further PDUs wait in the receive buffer.
/// </summary>
sealed partial class FullFeaturePhase(IscsiSession session, IscsiNode node, Connection connection)
{
    const int OverdueCheckMilliseconds = 1000;

    // Who only asks what there is asks at once; looked at whenever the time for a transfer has passed in silence.
    const long LongestDiscoverySilenceMilliseconds = 60_000;

    readonly SessionParameters parameters = session.Parameters;
    readonly ReplyStream replies = session.Replies;
    readonly TaskSet tasks = session.Tasks;
    readonly BufferShare buffers = session.Buffers;
    readonly LoneRequests lone = new(connection, () => session.Running.Count > 0 || session.Tasks.Count > 0);
    long nextOverdueCheck;

    /// <summary>Serves until logout, the end of the connection, or an error of the initiator.</summary>
    /// <exception cref="ProtocolException">The initiator broke a rule that leaves no way to go on.</exception>
    public void Run()
    {
        Span<byte> header = stackalloc byte[Bhs.SizeBytes];
        var heardAt = connection.NowMilliseconds;
        while (true)
        {
            // A client that does not take its replies off brings no further commands either.
            if (!PduIsBuffered() || connection.HasBacklog) replies.SendAll();
            lone.TakeNext();
            var arrival = connection.WaitForDataOnce();
            if (arrival == DataArrival.Ended) return;
            CheckOverdue();
            if (arrival == DataArrival.None)
            {
                if (session.Nexus is null && connection.NowMilliseconds - heardAt >= LongestDiscoverySilenceMilliseconds) return;
                continue;
            }
            if (session.Nexus is null) heardAt = connection.NowMilliseconds;
            connection.Receive(header);
            lone.Arrived();
            bool goesOn;
            using (lone.Begin()) goesOn = Handle(header);
            lone.End();
            if (!goesOn) return;
        }
    }

    /// <summary>Tells the initiator that the target goes away (RFC 7143, 11.9.1).</summary>
    public void SayGoodbye()
    {
        Span<byte> pdu = stackalloc byte[Bhs.SizeBytes];
        using (replies.Gate.EnterScope())
        {
            new AsyncMessagePdu(AsyncMessagePdu.AllConnectionsAreDropped).Write(pdu, replies.CountStatus());
            replies.Gather(pdu);
        }
        replies.SendAll();
    }

    /// <summary>Takes one PDU, the header of which is here.</summary>
    /// <returns>False when the connection is to be closed.</returns>
    bool Handle(ReadOnlySpan<byte> header)
    {
        if (tasks.HasAborted) DropAborted();
        var dataBytes = Bhs.ReadDataSegmentLength(header);
        // Checked before anything is allocated or read by it.
        if (dataBytes > SessionParameters.OwnMaxRecvDataSegmentLength)
            throw new ProtocolException(
                $"a PDU with {dataBytes} bytes of data: {SessionParameters.OwnMaxRecvDataSegmentLength} is the most");
        var opcode = Bhs.ReadOpcode(header);
        if (opcode is Opcode.DataOut)
        {
            ReceiveDataOut(header, dataBytes);
            return true;
        }
        if (opcode is not (Opcode.ScsiCommand
            or Opcode.NopOut
            or Opcode.TextRequest
            or Opcode.LogoutRequest
            or Opcode.TaskManagementRequest))
        {
            SkipData(header, 0);
            Reject(header, opcode == Opcode.SnackRequest ? RejectReason.SnackReject
                : opcode == Opcode.LoginRequest ? RejectReason.ProtocolError : RejectReason.CommandNotSupported);
            return true;
        }
        if (!Admit(header))
        {
            SkipData(header, 0);
            return true;
        }
        if (session.Nexus is null && opcode is (Opcode.ScsiCommand or Opcode.TaskManagementRequest))
        {
            SkipData(header, 0);
            Reject(header, RejectReason.ProtocolError); // Discovery sessions have text and logout only (4.3).
            return true;
        }
        switch (opcode)
        {
            case Opcode.ScsiCommand:
                ReceiveCommand(header, dataBytes);
                return true;
            case Opcode.NopOut:
                AnswerPing(header, dataBytes);
                return true;
            case Opcode.TextRequest:
                ReceiveText(header, dataBytes);
                return true;
            case Opcode.TaskManagementRequest:
                SkipData(header, 0);
                return ManageTasks(header);
            default:
                SkipData(header, 0);
                return Logout(header);
        }
    }

    /// <summary>Keeps to the window of commands (4.2.2.1).</summary>
    /// <returns>False when the PDU is to be ignored.</returns>
    bool Admit(ReadOnlySpan<byte> header)
    {
        const int cmdSNOffset = 24;
        if (Bhs.IsImmediate(header)) return true;
        var cmdSN = Bhs.UInt32(header, cmdSNOffset);
        return session.Window.Admit(cmdSN) switch
        {
            CommandVerdict.Next => true,
            CommandVerdict.OutsideWindow => false,
            // One connection delivers in order and no digest lets a PDU get lost: the one before will never come.
            _ => throw new ProtocolException($"CmdSN {cmdSN} came, but {session.Window.ExpCmdSN} was due"),
        };
    }

    /// <summary>Ends a session that leaves data due which it announced or was asked for: memory is kept for it.</summary>
    void CheckOverdue()
    {
        var now = connection.NowMilliseconds;
        if (now < nextOverdueCheck) return;
        nextOverdueCheck = now + OverdueCheckMilliseconds;
        if (tasks.FindOverdue(now) is { } task)
        {
            throw new ProtocolException(
                $"{task.WantedBytes - task.ReceivedBytes} bytes of a write have been due for "
                + $"{connection.TransferTimeout.TotalSeconds:0.###} seconds");
        }
    }

    void AnswerPing(ReadOnlySpan<byte> header, int dataBytes)
    {
        var ping = NopOutPdu.Read(header);
        if (ping.InitiatorTaskTag == Bhs.NoTag)
        {
            SkipData(header, 0);
            return;
        }
        connection.Skip(Bhs.ReadAhsLength(header));
        var answerBytes = Math.Min(dataBytes, parameters.InitiatorMaxRecvDataSegmentLength);
        var pduBytes = Bhs.SizeBytes + answerBytes + Bhs.Padding(answerBytes);
        using var rented = buffers.TryRent(pduBytes);
        var pdu = rented is null ? new byte[pduBytes] : rented.Span[..pduBytes];
        var data = pdu[Bhs.SizeBytes..];
        data[answerBytes..].Clear();
        connection.Receive(data[..answerBytes]);
        connection.Skip(dataBytes - answerBytes + Bhs.Padding(dataBytes));
        using (replies.Gate.EnterScope())
        {
            new NopInPdu(ping.InitiatorTaskTag, Bhs.NoTag).Write(pdu, replies.CountStatus(), answerBytes);
            replies.Gather(pdu);
        }
    }

    bool Logout(ReadOnlySpan<byte> header)
    {
        var request = LogoutRequestPdu.Read(header);
        var result = request.Reason switch
        {
            LogoutRequestPdu.CloseSession => LogoutResult.Closed,
            LogoutRequestPdu.CloseConnection => request.Cid == session.Cid ? LogoutResult.Closed : LogoutResult.NoSuchConnection,
            _ => LogoutResult.RecoveryNotSupported,
        };
        // Commands that run are part of the session that ends: they come to their end before it is said to be closed, and those that
        // wait for the limits of a volume do so at once.
        if (result == LogoutResult.Closed)
        {
            session.Target?.GiveUpWaiting();
            session.Running.WaitForAll();
        }
        Span<byte> pdu = stackalloc byte[Bhs.SizeBytes];
        using (replies.Gate.EnterScope())
        {
            new LogoutResponsePdu(request.InitiatorTaskTag, result).Write(pdu, replies.CountStatus());
            replies.Gather(pdu);
        }
        if (result != LogoutResult.Closed) return true;
        replies.SendAll();
        return false;
    }

    void Reject(ReadOnlySpan<byte> header, RejectReason reason)
    {
        Span<byte> pdu = stackalloc byte[RejectPdu.SizeBytes];
        using (replies.Gate.EnterScope())
        {
            new RejectPdu(reason).Write(pdu, replies.CountStatus(), header);
            replies.Gather(pdu);
        }
    }

    /// <summary>Reads off what follows a header, from <paramref name="received"/> bytes of its data on.</summary>
    void SkipData(ReadOnlySpan<byte> header, int received)
    {
        var dataBytes = Bhs.ReadDataSegmentLength(header);
        var rest = dataBytes - received + Bhs.Padding(dataBytes) + (received == 0 ? Bhs.ReadAhsLength(header) : 0);
        if (rest > 0) connection.Skip(rest);
    }

    /// <summary>Whether a whole further PDU is there: only then may replies wait for its own.</summary>
    bool PduIsBuffered()
    {
        var buffered = connection.Buffered;
        if (buffered.Length < Bhs.SizeBytes) return false;
        var dataBytes = Bhs.ReadDataSegmentLength(buffered);
        return buffered.Length - Bhs.SizeBytes >= Bhs.ReadAhsLength(buffered) + dataBytes + Bhs.Padding(dataBytes);
    }
}
