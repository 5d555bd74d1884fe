using System.Buffers;
using Ashlar.Blocks;
using Ashlar.Transport;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>
/// Carries login requests to the negotiation and its replies back, and makes the session (RFC 7143, 6.3). The connection's
/// deadline for handshakes bounds it in time, its limits on text and requests in memory.
/// </summary>
sealed class LoginPhase(IscsiNode node, int portalGroupTag, Connection connection)
{
    const uint FirstStatSN = 1;

    IscsiTarget? target;
    ulong isid;
    uint statSN = FirstStatSN;

    /// <summary>Logs an initiator in.</summary>
    /// <returns>The session, or null when the login failed and the initiator was told so.</returns>
    public IscsiSession? Run()
    {
        var negotiation = new LoginNegotiation(OpenTarget, Demand, node.Entropy, portalGroupTag);
        var text = ArrayPool<byte>.Shared.Rent(SessionParameters.LoginMaxRecvDataSegmentLength);
        Span<byte> header = stackalloc byte[Bhs.SizeBytes];
        IscsiSession? session = null;
        try
        {
            while (session is null)
            {
                if (!connection.WaitForData()) return null;
                connection.Receive(header);
                var textBytes = CheckHeader(header);
                connection.Receive(text.AsSpan(0, textBytes + Bhs.Padding(textBytes)));
                var request = LoginRequestPdu.Read(header);
                isid = request.Isid;
                try
                {
                    var reply = negotiation.Step(request, text.AsSpan(0, textBytes));
                    if (negotiation.IsComplete)
                    {
                        // Order: its place is its own before the initiator hears that it has one, and before a session of it ends.
                        if (negotiation.Parameters.IsDiscovery) connection.HandshakeCompletedAsGuest();
                        else connection.HandshakeCompleted();
                        session = Enter(negotiation.Parameters, request);
                    }
                    Respond(request, reply, session?.Tsih ?? 0);
                }
                catch (NegotiationException e)
                {
                    node.Report($"iscsi: login of {connection.RemoteEndPoint} refused: {e.Message}");
                    Refuse(request, e.Status);
                    return null;
                }
            }
            (var entered, session, target) = (session, null, null);
            return entered;
        }
        catch (ProtocolException e)
        {
            node.Report($"iscsi: cut off {connection.RemoteEndPoint}: {e.Message}");
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(text);
            // Only what did not come to the full feature phase is left here.
            if (session is not null) node.End(session);
            else target?.Dispose();
        }
    }

    /// <summary>Checks what the first bytes claim before anything is read by it.</summary>
    static int CheckHeader(ReadOnlySpan<byte> header)
    {
        var opcode = Bhs.ReadOpcode(header);
        if (opcode != Opcode.LoginRequest) throw new ProtocolException($"PDU {(int)opcode:x2} before the login");
        if (Bhs.ReadAhsLength(header) != 0) throw new ProtocolException("a login request with an additional header");
        var textBytes = Bhs.ReadDataSegmentLength(header);
        if (textBytes > SessionParameters.LoginMaxRecvDataSegmentLength)
            throw new ProtocolException(
                $"a login request of {textBytes} bytes: {SessionParameters.LoginMaxRecvDataSegmentLength} is the most");
        return textBytes;
    }

    bool OpenTarget(SessionParameters parameters)
    {
        target = node.OpenTarget(parameters.TargetName, IdentityOf(parameters.InitiatorName) with { User = parameters.User });
        return target is not null;
    }

    ChapDemand? Demand(SessionParameters parameters) =>
        node.Targets.Demand(parameters.IsDiscovery ? null : parameters.TargetName, IdentityOf(parameters.InitiatorName));

    // The name of the initiator port (RFC 7143, 4.2.7.1).
    ClientIdentity IdentityOf(string initiator) =>
        new(ClientProtocol.Iscsi, $"{initiator},i,0x{isid:x12}", $"{connection.RemoteEndPoint}")
        {
            Host = initiator,
            Port = portalGroupTag,
        };

    IscsiSession Enter(SessionParameters parameters, in LoginRequestPdu request)
    {
        // The target's own spelling of its name, so that one written otherwise is the same session.
        var key = new SessionKey(parameters.InitiatorName, request.Isid, target?.Name ?? "", portalGroupTag);
        if (request.Tsih != 0)
        {
            var named = node.Sessions.Find(key, request.Tsih)
                ?? throw new NegotiationException($"there is no session {request.Tsih}", LoginStatus.SessionDoesNotExist);
            // With the same CID it takes the place of a connection that broke; with another it would be a second one.
            if (named.Cid != request.Cid)
                throw new NegotiationException($"session {request.Tsih} has its one connection", LoginStatus.TooManyConnections);
        }
        if (target is not null) node.Sessions.EndPredecessor(key);
        var nexus = target is null ? null : node.OpenNexus(target, portalGroupTag);
        var session = new IscsiSession(
            connection, parameters, key, request.Cid, target, nexus, firstCmdSN: request.CmdSN, firstStatSN: statSN + 1,
            node.OpenShare());
        // From here on the session owns the target.
        target = null;
        if (nexus is null) return session;
        try
        {
            node.Sessions.Add(session);
        }
        catch (NegotiationException)
        {
            node.End(session);
            throw;
        }
        return session;
    }

    void Respond(in LoginRequestPdu request, in LoginReply reply, ushort tsih)
    {
        var text = reply.Text.Span;
        Span<byte> pdu = stackalloc byte[Bhs.SizeBytes + SessionParameters.LoginMaxRecvDataSegmentLength];
        pdu = pdu[..(Bhs.SizeBytes + text.Length + Bhs.Padding(text.Length))];
        pdu.Clear();
        var response = new LoginResponsePdu(
            reply.Transit, Continue: false, reply.CurrentStage, reply.NextStage, request.Isid, tsih != 0 ? tsih : request.Tsih,
            request.InitiatorTaskTag, LoginStatus.Success);
        response.Write(pdu, Numbers(request), text.Length);
        text.CopyTo(pdu[Bhs.SizeBytes..]);
        connection.Send(pdu);
    }

    void Refuse(in LoginRequestPdu request, LoginStatus status)
    {
        Span<byte> pdu = stackalloc byte[Bhs.SizeBytes];
        var response = new LoginResponsePdu(
            Transit: false,
            Continue: false,
            request.CurrentStage,
            request.CurrentStage,
            request.Isid,
            request.Tsih,
            request.InitiatorTaskTag,
            status);
        response.Write(pdu, Numbers(request), 0);
        connection.Send(pdu);
    }

    TargetNumbers Numbers(in LoginRequestPdu request) =>
        new(statSN++, request.CmdSN, request.CmdSN + CommandWindow.DefaultDepth - 1);
}
