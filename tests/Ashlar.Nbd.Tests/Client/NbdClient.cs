using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>Answer to an option.</summary>
sealed record OptionAnswer(OptionReplyHeader Header, byte[] Data)
{
    public OptionReplyCode Code => Header.Reply;

    public string Text => Encoding.UTF8.GetString(Data);
}

/// <summary>A chunk of a structured reply, or a simple reply as the only one.</summary>
sealed record ReplyChunk(ulong Cookie, ChunkCode Type, bool IsLast, byte[] Payload, NbdError Error, bool IsSimple);

/// <summary>A client that says exactly what a test wants said. It never waits longer than a test may take.</summary>
sealed class NbdClient : IDisposable
{
    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly Dictionary<ulong, int> simpleReadBytes = [];
    HeaderStyle style;
    ulong nextCookie = 1;
    SslStream? tls;

    public NbdClient(IPEndPoint endPoint)
    {
        socket.ReceiveTimeout = socket.SendTimeout = 20_000;
        socket.Connect(endPoint);
    }

    public ulong ExportBytes { get; private set; }

    public TransmissionFlags Flags { get; private set; }

    public Socket Socket => socket;

    public void Greet(ClientFlags flags = ClientFlags.FixedNewstyle | ClientFlags.NoZeroes)
    {
        Assert.True(Greeting.TryRead(Receive(Greeting.SizeBytes), out var greeting));
        Assert.Equal(HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes, greeting.Flags);
        Send(UInt32((uint)flags));
    }

    public void SendOption(OptionCode option, params byte[] data)
    {
        var bytes = new byte[OptionHeader.SizeBytes + data.Length];
        new OptionHeader(option, (uint)data.Length).Write(bytes);
        data.CopyTo(bytes, OptionHeader.SizeBytes);
        Send(bytes);
    }

    public OptionAnswer ReceiveAnswer()
    {
        Assert.True(OptionReplyHeader.TryRead(Receive(OptionReplyHeader.SizeBytes), out var header));
        return new(header, Receive((int)header.LengthBytes));
    }

    /// <summary>Sends an option and receives all its answers, up to the acknowledgement or an error.</summary>
    public List<OptionAnswer> Ask(OptionCode option, params byte[] data)
    {
        SendOption(option, data);
        var answers = new List<OptionAnswer>();
        do
        {
            answers.Add(ReceiveAnswer());
            Assert.Equal(option, answers[^1].Header.Option);
        }
        while (answers[^1].Code is OptionReplyCode.Server or OptionReplyCode.Info or OptionReplyCode.MetaContext);
        return answers;
    }

    public void RequestStructuredReplies()
    {
        Assert.Equal(OptionReplyCode.Ack, Ask(OptionCode.StructuredReply).Single().Code);
        style = HeaderStyle.Structured;
    }

    public void RequestExtendedHeaders()
    {
        Assert.Equal(OptionReplyCode.Ack, Ask(OptionCode.ExtendedHeaders).Single().Code);
        style = HeaderStyle.Extended;
    }

    /// <summary>Goes on under TLS; whatever was agreed is forgotten.</summary>
    public void StartTls(SslClientAuthenticationOptions options)
    {
        Assert.Equal(OptionReplyCode.Ack, Ask(OptionCode.StartTls).Single().Code);
        var secured = new SslStream(new NetworkStream(socket));
        secured.AuthenticateAsClient(options);
        (tls, style) = (secured, HeaderStyle.Simple);
    }

    public void SelectBaseAllocation(string export) => SelectContexts(export, "base:allocation");

    public void SelectContexts(string export, params string[] contexts) =>
        Assert.Equal(contexts.Length + 1, Ask(OptionCode.SetMetaContext, ContextQuery(export, contexts)).Count);

    public void Go(string export, params InfoCode[] wanted)
    {
        var answers = Ask(OptionCode.Go, InfoRequest(export, wanted));
        Assert.Equal(OptionReplyCode.Ack, answers[^1].Code);
        var summary = ExportSummary.Read(answers[0].Data.AsSpan(2));
        (ExportBytes, Flags) = (summary.ExportBytes, summary.Flags);
    }

    public static byte[] InfoRequest(string export, params InfoCode[] wanted) =>
        [.. String(export), .. UInt16((ushort)wanted.Length), .. wanted.SelectMany(code => UInt16((ushort)code))];

    public static byte[] ContextQuery(string export, params string[] queries) =>
        [.. String(export), .. UInt32((uint)queries.Length), .. queries.SelectMany(String)];

    public static byte[] String(string text) => [.. UInt32((uint)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] UInt32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] UInt16(ushort value) => UInt32(value)[2..];

    public static byte[] UInt64(ulong value) => [.. UInt32((uint)(value >> 32)), .. UInt32((uint)value)];

    /// <summary>Sends a request; returns its cookie. With extended headers a payload is flagged.</summary>
    public ulong Request(
        CommandCode command, ulong offset, ulong length, CommandFlags flags = CommandFlags.None, byte[]? payload = null)
    {
        var cookie = nextCookie++;
        if (style == HeaderStyle.Extended)
        {
            var header = new byte[ExtendedRequestHeader.SizeBytes];
            if (payload is not null) flags |= CommandFlags.PayloadLength;
            ExtendedRequestHeader.Write(new(flags, command, cookie, offset, length), header);
            Send([.. header, .. payload ?? []]);
            return cookie;
        }
        if (style == HeaderStyle.Simple && command == CommandCode.Read) simpleReadBytes[cookie] = (int)length;
        var bytes = new byte[RequestHeader.SizeBytes + (payload?.Length ?? 0)];
        new RequestHeader(flags, command, cookie, offset, length).Write(bytes);
        payload?.CopyTo(bytes, RequestHeader.SizeBytes);
        Send(bytes);
        return cookie;
    }

    public ReplyChunk ReceiveChunk()
    {
        if (style == HeaderStyle.Extended) return ReceiveExtendedChunk();
        var start = Receive(SimpleReplyHeader.SizeBytes);
        if (SimpleReplyHeader.TryRead(start, out var simple))
        {
            var dataBytes = simple.Error == NbdError.None && simpleReadBytes.Remove(simple.Cookie, out var length) ? length : 0;
            return new(simple.Cookie, ChunkCode.None, true, Receive(dataBytes), simple.Error, IsSimple: true);
        }
        Assert.True(style == HeaderStyle.Structured, "a structured reply that was not negotiated");
        Assert.True(ChunkHeader.TryRead([.. start, .. Receive(ChunkHeader.SizeBytes - SimpleReplyHeader.SizeBytes)], out var chunk));
        var payload = Receive((int)chunk.LengthBytes);
        var error = chunk.Type == ChunkCode.Error ? ErrorPayload.Read(payload).Error : NbdError.None;
        return new(chunk.Cookie, chunk.Type, chunk.Flags.HasFlag(ChunkFlags.Done), payload, error, IsSimple: false);
    }

    ReplyChunk ReceiveExtendedChunk()
    {
        Assert.True(ExtendedChunkHeader.TryRead(Receive(ExtendedChunkHeader.SizeBytes), out var chunk), "no extended header");
        var payload = Receive((int)chunk.LengthBytes);
        var error = chunk.Type == ChunkCode.Error ? ErrorPayload.Read(payload).Error : NbdError.None;
        LastOffset = chunk.OffsetBytes;
        return new(chunk.Cookie, chunk.Type, chunk.Flags.HasFlag(ChunkFlags.Done), payload, error, IsSimple: false);
    }

    /// <summary>Of the last extended header.</summary>
    public ulong LastOffset { get; private set; }

    /// <summary>Sends a request and receives its whole reply, as the only one under way.</summary>
    public List<ReplyChunk> Call(
        CommandCode command, ulong offset, ulong length, CommandFlags flags = CommandFlags.None, byte[]? payload = null)
    {
        var cookie = Request(command, offset, length, flags, payload);
        var chunks = new List<ReplyChunk>();
        do
        {
            chunks.Add(ReceiveChunk());
            Assert.Equal(cookie, chunks[^1].Cookie);
        }
        while (!chunks[^1].IsLast);
        return chunks;
    }

    public NbdError ErrorOf(
        CommandCode command, ulong offset, ulong length, CommandFlags flags = CommandFlags.None, byte[]? payload = null) =>
        Call(command, offset, length, flags, payload)[^1].Error;

    public void Write(ulong offset, byte[] data, CommandFlags flags = CommandFlags.None) =>
        Assert.Equal(NbdError.None, ErrorOf(CommandCode.Write, offset, (uint)data.Length, flags, data));

    /// <summary>Reads and puts the chunks together.</summary>
    public byte[] Read(ulong offset, uint length, CommandFlags flags = CommandFlags.None) =>
        Assemble(Call(CommandCode.Read, offset, length, flags), offset, length);

    public static byte[] Assemble(IEnumerable<ReplyChunk> chunks, ulong offset, uint length)
    {
        var data = new byte[length];
        long covered = 0;
        foreach (var chunk in chunks)
        {
            Assert.Equal(NbdError.None, chunk.Error);
            if (chunk.IsSimple) return chunk.Payload;
            if (chunk.Type == ChunkCode.OffsetHole)
            {
                covered += OffsetHole.Read(chunk.Payload).LengthBytes;
            }
            else if (chunk.Type == ChunkCode.OffsetData)
            {
                var at = BinaryPrimitives.ReadUInt64BigEndian(chunk.Payload);
                chunk.Payload.AsSpan(8).CopyTo(data.AsSpan((int)(at - offset)));
                covered += chunk.Payload.Length - 8;
            }
        }
        Assert.Equal(length, covered);
        return data;
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (tls is not null)
        {
            tls.Write(bytes);
            return;
        }
        while (!bytes.IsEmpty) bytes = bytes[socket.Send(bytes)..];
    }

    public byte[] Receive(int count)
    {
        var bytes = new byte[count];
        for (var received = 0; received < count;)
        {
            var n = tls?.Read(bytes.AsSpan(received)) ?? socket.Receive(bytes.AsSpan(received));
            if (n == 0) throw new EndOfStreamException($"the server closed after {received} of {count} bytes");
            received += n;
        }
        return bytes;
    }

    /// <summary>The server hangs up, without a word more than what is still under way.</summary>
    public void MustBeCutOff()
    {
        var scratch = new byte[64 << 10];
        try
        {
            while (socket.Receive(scratch) > 0)
            {
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Hung up with our bytes unread.
        }
    }

    /// <summary>The connection still serves.</summary>
    public void MustStillWork() => Assert.Equal(512, Read(0, 512).Length);

    public void Dispose()
    {
        tls?.Dispose();
        socket.Dispose();
    }
}
