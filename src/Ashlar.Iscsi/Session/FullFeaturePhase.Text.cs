using System.Buffers;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

// Text requests (RFC 7143, 11.10, 11.11; SendTargets: Appendix C).
sealed partial class FullFeaturePhase
{
    const uint TextTransferTag = 0x7465_7874; // One exchange at a time, so its tag may be constant.

    readonly ArrayBufferWriter<byte> requestText = new();
    ReadOnlyMemory<byte> unsentText;

    void ReceiveText(ReadOnlySpan<byte> header, int dataBytes)
    {
        var request = TextRequestPdu.Read(header);
        connection.Skip(Bhs.ReadAhsLength(header));
        var isNew = request.TargetTransferTag == Bhs.NoTag;
        if (isNew)
        {
            requestText.ResetWrittenCount();
            unsentText = default;
        }
        if (dataBytes > TextPairs.MaxTextBytes - requestText.WrittenCount)
            throw new ProtocolException($"a text request of more than {TextPairs.MaxTextBytes} bytes");
        connection.Receive(requestText.GetSpan(Math.Max(1, dataBytes))[..dataBytes]);
        requestText.Advance(dataBytes);
        connection.Skip(Bhs.Padding(dataBytes));
        if (request.Continue)
        {
            // An empty answer asks for the rest (6.2).
            RespondText(request, default, isFinal: false, goesOn: false);
            return;
        }
        if (isNew || requestText.WrittenCount > 0)
        {
            try
            {
                unsentText = Answer(TextPairs.Parse(requestText.WrittenSpan));
            }
            catch (NegotiationException e)
            {
                node.Report($"iscsi: {parameters.InitiatorName}: {e.Message}");
                Reject(header, RejectReason.ProtocolError);
                return;
            }
            finally
            {
                requestText.ResetWrittenCount();
            }
        }
        var length = Math.Min(unsentText.Length, parameters.InitiatorMaxRecvDataSegmentLength);
        var part = unsentText[..length];
        unsentText = unsentText[length..];
        RespondText(request, part.Span, isFinal: unsentText.IsEmpty, goesOn: !unsentText.IsEmpty);
    }

    ReadOnlyMemory<byte> Answer(List<KeyValuePair<string, string>> pairs)
    {
        var answer = new ArrayBufferWriter<byte>();
        foreach (var (key, value) in pairs)
        {
            if (key == "SendTargets") SendTargets(value, answer);
            else TextPairs.Append(answer, key, KeyRules.AnswerInFullFeature(key, value, parameters));
        }
        return answer.WrittenMemory;
    }

    void SendTargets(string which, ArrayBufferWriter<byte> answer)
    {
        // All is for discovery sessions; empty means the target of this session; anything else is a name.
        if (which == "All" && !parameters.IsDiscovery)
        {
            TextPairs.Append(answer, "SendTargets", KeyRules.Reject);
            return;
        }
        var wanted = which.Length > 0 ? which : parameters.TargetName;
        var portals = node.Portals.For(connection.LocalEndPoint);
        foreach (var name in node.Targets.List(session.Identity))
        {
            if (which != "All" && !name.Equals(wanted, StringComparison.OrdinalIgnoreCase)) continue;
            TextPairs.Append(answer, "TargetName", name);
            // TargetAddress (RFC 7143, 13.8): address, port, and the tag of the portal group.
            foreach (var portal in portals) TextPairs.Append(answer, "TargetAddress", $"{portal.HostAndPort},{portal.Group}");
        }
    }

    void RespondText(in TextRequestPdu request, ReadOnlySpan<byte> text, bool isFinal, bool goesOn)
    {
        var pduBytes = Bhs.SizeBytes + text.Length + Bhs.Padding(text.Length);
        var pdu = new byte[pduBytes];
        var response = new TextResponsePdu(isFinal, goesOn, request.InitiatorTaskTag, isFinal ? Bhs.NoTag : TextTransferTag);
        text.CopyTo(pdu.AsSpan(Bhs.SizeBytes));
        using (replies.Gate.EnterScope())
        {
            response.Write(pdu, replies.CountStatus(), text.Length);
            replies.Gather(pdu);
        }
    }
}
