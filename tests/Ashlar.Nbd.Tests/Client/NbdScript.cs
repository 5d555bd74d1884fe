using System.Buffers.Binary;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>What a client sends in a whole session, as bytes.</summary>
sealed class NbdScript
{
    readonly List<byte> bytes = [];
    ulong nextCookie = 1;

    public byte[] Bytes => [.. bytes];

    public int Length => bytes.Count;

    /// <summary>Where the client may be silent as long as it likes: between requests.</summary>
    public List<int> IdlePoints { get; } = [];

    /// <summary>A session up to where requests begin.</summary>
    public static NbdScript Open(bool structured = true)
    {
        var script = new NbdScript().Greet();
        if (structured)
        {
            script.Option(OptionCode.StructuredReply);
            script.Option(OptionCode.SetMetaContext, NbdClient.ContextQuery("disk", "base:allocation"));
        }
        script.Option(OptionCode.Go, NbdClient.InfoRequest("disk"));
        return script.BeginRequests();
    }

    public NbdScript BeginRequests()
    {
        IdlePoints.Add(Length);
        return this;
    }

    public NbdScript Greet() => Raw(NbdClient.UInt32((uint)(ClientFlags.FixedNewstyle | ClientFlags.NoZeroes)));

    public NbdScript Option(OptionCode option, byte[]? data = null) => Option(option, data ?? [], (uint)(data?.Length ?? 0));

    public NbdScript Option(OptionCode option, byte[] data, uint lengthBytes)
    {
        var header = new byte[OptionHeader.SizeBytes];
        new OptionHeader(option, lengthBytes).Write(header);
        return Raw(header).Raw(data);
    }

    public NbdScript Request(CommandCode command, ulong offset, uint length, int payloadBytes = 0)
    {
        var header = new byte[RequestHeader.SizeBytes];
        new RequestHeader(CommandFlags.None, command, nextCookie++, offset, length).Write(header);
        Raw(header).Raw(new byte[payloadBytes]);
        IdlePoints.Add(Length);
        return this;
    }

    public NbdScript Raw(ReadOnlySpan<byte> data)
    {
        bytes.AddRange(data);
        return this;
    }

    /// <summary>The errors of all simple replies without data, and of chunks, that came after the handshake.</summary>
    public static List<NbdError> ErrorsOf(ReadOnlySpan<byte> replies)
    {
        var errors = new List<NbdError>();
        while (replies.Length >= SimpleReplyHeader.SizeBytes)
        {
            if (SimpleReplyHeader.TryRead(replies, out var simple))
            {
                errors.Add(simple.Error);
                replies = replies[SimpleReplyHeader.SizeBytes..];
                continue;
            }
            Assert.True(ChunkHeader.TryRead(replies, out var chunk), "neither a reply nor a chunk");
            var payload = replies[ChunkHeader.SizeBytes..];
            if (payload.Length < chunk.LengthBytes) break;
            if (chunk.Type == ChunkCode.Error) errors.Add(ErrorPayload.Read(payload).Error);
            else if (chunk.Flags.HasFlag(ChunkFlags.Done)) errors.Add(NbdError.None);
            replies = payload[(int)chunk.LengthBytes..];
        }
        return errors;
    }

    /// <summary>Takes the greeting and the answers to options off; what remains are replies to requests.</summary>
    public static ReadOnlySpan<byte> TakeAnswers(ReadOnlySpan<byte> taken, List<OptionReplyCode> codes)
    {
        if (taken.Length < Greeting.SizeBytes) return [];
        taken = taken[Greeting.SizeBytes..];
        while (taken.Length >= OptionReplyHeader.SizeBytes && OptionReplyHeader.TryRead(taken, out var header))
        {
            codes.Add(header.Reply);
            taken = taken[(OptionReplyHeader.SizeBytes + (int)header.LengthBytes)..];
        }
        return taken;
    }
}
