using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Ashlar.Storage;

namespace Ashlar.Nvme.Tests;

/// <summary>How a command ended, and the data that it brought.</summary>
sealed record Reply(NvmeStatus Status, ulong Result, ushort QueueHead, byte[] Data)
{
    public NvmeStatus Code => Status & ~NvmeStatus.DoNotRetry;

    public Reply MustSucceed()
    {
        Assert.Equal(NvmeStatus.Success, Status);
        return this;
    }

    public Reply MustFail(NvmeStatus code)
    {
        Assert.Equal(code, Code);
        return this;
    }
}

/// <summary>A PDU of a controller.</summary>
sealed record ReceivedPdu(PduHeader Header, byte[] Bytes, byte[] Data);

/// <summary>A host on one connection, which does one thing after the other.</summary>
sealed class NvmeHost : IDisposable
{
    public const string HostName = "nqn.2014-08.org.nvmexpress:uuid:11111111-2222-3333-4444-555555555555";

    public static readonly Guid HostId = new("11111111-2222-3333-4444-555555555555");

    readonly Socket socket;
    readonly NetworkStream stream;
    readonly Dictionary<ushort, byte[]> written = [];
    ushort nextId;

    NvmeHost(IPEndPoint endPoint, IPAddress? from)
    {
        socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 20_000 };
        if (from is not null) socket.Bind(new IPEndPoint(from, 0));
        socket.Connect(endPoint);
        stream = new NetworkStream(socket);
    }

    public Digests Digests { get; set; }

    public int Alignment { get; private set; } = 4;

    public ushort ControllerId { get; private set; }

    public InitializeResponse Settings { get; private set; }

    /// <summary>The last data PDU, as it came.</summary>
    public ReceivedPdu? LastData { get; private set; }

    public static NvmeHost Dial(IPEndPoint endPoint, Digests digests, byte alignment = 0, IPAddress? from = null)
    {
        var host = DialRaw(endPoint, from);
        var request = new byte[InitializeRequest.SizeBytes];
        new InitializeRequest(0, alignment, digests, 0).Write(request);
        host.SendRaw(request);
        host.Settings = InitializeResponse.Read(host.Receive().Bytes);
        host.Digests = digests;
        host.Alignment = (alignment + 1) * 4;
        return host;
    }

    /// <summary>A connection on which nothing has been said.</summary>
    public static NvmeHost DialRaw(IPEndPoint endPoint, IPAddress? from = null) => new(endPoint, from);

    public void SendRaw(ReadOnlySpan<byte> bytes) => stream.Write(bytes);

    public Reply Connect(
        int queue, string subsystem, ushort controller = ConnectData.AnyController, bool flowControl = false, int size = 128,
        uint keepAlive = 0, string hostName = HostName, Guid? hostId = null)
    {
        var data = new byte[ConnectData.SizeBytes];
        new ConnectData(hostId ?? HostId, controller, subsystem, hostName).Write(data);
        var attributes = flowControl ? 0u : 1u << 18;
        var reply = Run(Fabrics(FabricsType.Connect, (uint)queue << 16, (uint)(size - 1) | attributes, keepAlive), data);
        if (reply.Status == NvmeStatus.Success) ControllerId = (ushort)reply.Result;
        return reply;
    }

    public Reply GetProperty(uint offset, bool isLong = false) => Run(Fabrics(FabricsType.PropertyGet, isLong ? 1u : 0, offset, 0));

    public Reply SetProperty(uint offset, uint value) => Run(Fabrics(FabricsType.PropertySet, 0, offset, value));

    /// <summary>Enables the controller as Linux does.</summary>
    public void Enable()
    {
        SetProperty(0x14, 0x0046_0001).MustSucceed();
        Assert.Equal(1u, GetProperty(0x1C).MustSucceed().Result & 1);
    }

    public SubmissionEntry Fabrics(FabricsType type, uint dword10, uint dword11, uint dword12) =>
        Entry(SubmissionEntry.FabricsOpcode, (uint)type, dword10, dword11, dword12);

    public SubmissionEntry Entry(
        byte opcode, uint nameSpace, uint dword10 = 0, uint dword11 = 0, uint dword12 = 0, uint dword13 = 0) =>
        new(opcode, 0x40, nextId++, nameSpace, default, dword10, dword11, dword12, dword13, 0, 0);

    public SubmissionEntry Io(NvmOpcode opcode, ulong lba, int blocks, uint flags = 0) =>
        Entry((byte)opcode, 1, (uint)lba, (uint)(lba >> 32), (uint)(blocks - 1) | flags);

    public Reply Read(ulong lba, int blocks, int blockBytes = 512, uint flags = 0) =>
        Run(Io(NvmOpcode.Read, lba, blocks, flags), readBytes: blocks * blockBytes);

    public Reply Write(ulong lba, byte[] data, int blockBytes = 512, uint flags = 0, bool inCapsule = false) =>
        Run(Io(NvmOpcode.Write, lba, data.Length / blockBytes, flags), data, inCapsule: inCapsule);

    public Reply Identify(byte what, uint nameSpace = 0, byte commandSet = 0) =>
        Run(Entry((byte)AdminOpcode.Identify, nameSpace, what, (uint)commandSet << 24), readBytes: 4096);

    public Reply Log(LogPage page, int bytes, uint specific = 0, uint offset = 0) =>
        Run(
            Entry((byte)AdminOpcode.GetLogPage, 0xFFFF_FFFF, (byte)page | (specific << 8) | ((uint)((bytes / 4) - 1) << 16),
                (uint)(((bytes / 4) - 1) >> 16), offset),
            readBytes: bytes);

    public Reply Admin(AdminOpcode opcode, uint dword10 = 0, uint dword11 = 0, int readBytes = 0) =>
        Run(Entry((byte)opcode, 0, dword10, dword11), readBytes: readBytes);

    /// <summary>Does a command from its capsule to its end.</summary>
    public Reply Run(SubmissionEntry entry, byte[]? data = null, int readBytes = 0, bool inCapsule = false)
    {
        var id = Submit(entry, data, readBytes, inCapsule);
        return Finish(id, readBytes);
    }

    /// <summary>Sends a command. Connect has its data in the capsule, as do others if they are told so.</summary>
    public ushort Submit(SubmissionEntry entry, byte[]? data = null, int readBytes = 0, bool inCapsule = false)
    {
        inCapsule |= entry.IsFabrics && data is not null;
        var length = data?.Length ?? readBytes;
        var kind = inCapsule ? SglDescriptor.InCapsule : SglDescriptor.Transport;
        if (data is not null && !inCapsule) written[entry.CommandId] = data;
        SendCapsule(entry with { Data = new(0, (uint)length, kind) }, inCapsule ? data : null);
        return entry.CommandId;
    }

    public void SendCapsule(SubmissionEntry entry, byte[]? inCapsule = null)
    {
        var header = new byte[CommandCapsule.HeaderBytes];
        entry.Write(header.AsSpan(CommandCapsule.EntryOffset));
        SendPdu(PduType.CommandCapsule, PduFlags.None, header, inCapsule ?? []);
    }

    public void SendPdu(PduType type, PduFlags flags, byte[] header, byte[] data)
    {
        var hasData = data.Length > 0;
        if (Digests.Header) flags |= PduFlags.HeaderDigest;
        if (Digests.Data && hasData) flags |= PduFlags.DataDigest;
        var dataAt = header.Length + (Digests.Header ? 4 : 0);
        var length = dataAt + data.Length + (Digests.Data && hasData ? 4 : 0);
        var pdu = new byte[length];
        header.CopyTo(pdu, 0);
        new PduHeader(type, flags, (byte)header.Length, hasData ? (byte)dataAt : (byte)0, (uint)length).Write(pdu);
        if (Digests.Header) Digests.Write(pdu.AsSpan(header.Length), Crc32C.Compute(pdu.AsSpan(0, header.Length)));
        data.CopyTo(pdu, dataAt);
        if (Digests.Data && hasData) Digests.Write(pdu.AsSpan(length - 4), Crc32C.Compute(data));
        SendRaw(pdu);
    }

    public void SendData(ushort commandId, ushort tag, int offset, ReadOnlySpan<byte> data, bool isLast)
    {
        var header = new byte[DataPdu.HeaderBytes];
        new DataPdu(commandId, tag, (uint)offset, (uint)data.Length).Write(header, PduType.HostData, PduFlags.None, default, header.Length);
        SendPdu(PduType.HostData, isLast ? PduFlags.LastPdu : PduFlags.None, header, data.ToArray());
    }

    /// <summary>Answers what is asked until a command has ended.</summary>
    public Reply Finish(ushort commandId, int readBytes = 0)
    {
        var data = new byte[readBytes];
        var got = 0;
        while (true)
        {
            var pdu = Receive();
            switch (pdu.Header.Type)
            {
                case PduType.ReadyToTransfer:
                    AnswerRequest(ReadyToTransferPdu.Read(pdu.Bytes));
                    break;
                case PduType.ControllerData:
                    var part = DataPdu.Read(pdu.Bytes);
                    Assert.Equal(commandId, part.CommandId);
                    Assert.Equal((int)part.DataOffset, got);
                    Assert.Equal((int)part.DataBytes, pdu.Data.Length);
                    pdu.Data.CopyTo(data, got);
                    got += pdu.Data.Length;
                    LastData = pdu;
                    if ((pdu.Header.Flags & PduFlags.Success) == PduFlags.None) break;
                    Assert.Equal(readBytes, got);
                    return new(NvmeStatus.Success, 0, 0, data);
                case PduType.ResponseCapsule:
                    var response = ResponseCapsule.Read(pdu.Bytes);
                    Assert.Equal(commandId, response.CommandId);
                    if (response.Status == NvmeStatus.Success) Assert.Equal(readBytes, got);
                    return new(response.Status, response.Result, response.QueueHead, data);
                default:
                    throw new InvalidOperationException($"a {pdu.Header.Type}: {Convert.ToHexString(pdu.Bytes)}");
            }
        }
    }

    /// <summary>Sends data that are asked for, in PDUs as long as the controller takes.</summary>
    public void AnswerRequest(ReadyToTransferPdu request, int? pieceBytes = null)
    {
        var data = written[request.CommandId].AsSpan((int)request.DataOffset, (int)request.DataBytes);
        var piece = pieceBytes ?? (int)Settings.MaxHostDataBytes;
        for (var at = 0; at < data.Length; at += piece)
        {
            var part = data.Slice(at, Math.Min(piece, data.Length - at));
            SendData(request.CommandId, request.TransferTag, (int)request.DataOffset + at, part, at + part.Length == data.Length);
        }
    }

    public ReadyToTransferPdu ReceiveRequest()
    {
        var pdu = Receive();
        Assert.Equal(PduType.ReadyToTransfer, pdu.Header.Type);
        return ReadyToTransferPdu.Read(pdu.Bytes);
    }

    public ResponseCapsule ReceiveResponse()
    {
        var pdu = Receive();
        Assert.Equal(PduType.ResponseCapsule, pdu.Header.Type);
        return ResponseCapsule.Read(pdu.Bytes);
    }

    /// <summary>The error for which the controller ends the connection.</summary>
    public TerminationPdu ReceiveTermination()
    {
        var pdu = Receive();
        Assert.Equal(PduType.ControllerTermination, pdu.Header.Type);
        MustBeClosed();
        return TerminationPdu.Read(pdu.Bytes);
    }

    public void MustBeClosed()
    {
        try
        {
            Assert.Equal(0, socket.Receive(new byte[1]));
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }

    /// <summary>Receives a PDU and checks all that it says of itself.</summary>
    public ReceivedPdu Receive()
    {
        var start = new byte[PduHeader.SizeBytes];
        stream.ReadExactly(start);
        var header = PduHeader.Read(start);
        Assert.InRange(header.LengthBytes, header.HeaderBytes, 2u << 20);
        var bytes = new byte[header.LengthBytes];
        start.CopyTo(bytes, 0);
        stream.ReadExactly(bytes.AsSpan(start.Length));
        if (header.Type is PduType.InitializeConnectionResponse or PduType.ControllerTermination) return new(header, bytes, []);

        Assert.Equal(Digests.Header, (header.Flags & PduFlags.HeaderDigest) != PduFlags.None);
        if (Digests.Header)
            Assert.True(Digests.Matches(bytes.AsSpan(header.HeaderBytes), Crc32C.Compute(bytes.AsSpan(0, header.HeaderBytes))));
        if (header.Type != PduType.ControllerData) return new(header, bytes, []);

        Assert.Equal(0, header.DataOffset % Alignment);
        Assert.Equal(Digests.Data, (header.Flags & PduFlags.DataDigest) != PduFlags.None);
        var data = bytes[header.DataOffset..(bytes.Length - (Digests.Data ? 4 : 0))];
        if (Digests.Data) Assert.True(Digests.Matches(bytes.AsSpan(bytes.Length - 4), Crc32C.Compute(data)));
        return new(header, bytes, data);
    }

    public static byte[] Pattern(int length, int seed = 1)
    {
        var data = new byte[length];
        for (var i = 0; i < length; i += 4) BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(i), (i * 31) + seed);
        return data;
    }

    public void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }
}
