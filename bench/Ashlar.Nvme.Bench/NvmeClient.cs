using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Nvme.Bench;

/// <summary>
/// A host of NVMe/TCP as Linux is one: data up to 8 KiB go in the capsule, and queues have flow control, so a read ends with a response,
/// unless options give it up. The admin queue of an association is a connection of its own, without requests.
/// </summary>
sealed class NvmeClient : BenchClient
{
    const int AdminDepth = 32;

    static readonly Guid HostId = new("00000000-0000-4000-8000-000000000001");

    readonly int queue;
    readonly Digests digests;
    readonly int blockShift;
    readonly byte[] header = new byte[PduHeader.MaxHeaderBytes];

    NvmeClient(BenchOptions options, int queue, ushort controller, int blockShift) : base(options)
    {
        this.queue = queue;
        this.blockShift = blockShift;
        digests = options.Digests;
        var request = Wire.Add(InitializeRequest.SizeBytes);
        new InitializeRequest(0, 0, digests, 0).Write(request);
        Wire.Receive(header.AsSpan(0, InitializeResponse.SizeBytes));
        if (InitializeResponse.Read(header).Digests != digests) throw new IOException("the controller has chosen other digests");

        Span<byte> data = stackalloc byte[ConnectData.SizeBytes];
        new ConnectData(HostId, controller, options.Name, $"nqn.2014-08.org.nvmexpress:uuid:{HostId:D}").Write(data);
        const uint disableFlowControl = 1 << 18;
        var attributes = options.HasFlowControl ? 0 : disableFlowControl;
        var size = queue == 0 ? AdminDepth : options.Depth + 1;
        Capsule(Fabrics(FabricsType.Connect, (uint)queue << 16, (uint)(size - 1) | attributes, 0), data);
        ControllerId = (ushort)Finish(default);
    }

    public ushort ControllerId { get; }

    /// <summary>The admin queue of a new association; the volume's blocks have 2^n bytes.</summary>
    public static NvmeClient Associate(BenchOptions options, out int blockShift)
    {
        var admin = new NvmeClient(options, 0, ConnectData.AnyController, 0);
        admin.Capsule(Fabrics(FabricsType.PropertySet, 0, 0x14, 0x0046_0001), default);
        admin.Finish(default);
        var identity = new byte[4096];
        admin.Capsule(Entry((byte)AdminOpcode.Identify, 0, 1) with { Data = new(0, 4096, SglDescriptor.Transport) }, default);
        admin.Finish(identity);
        blockShift = identity[130];
        return admin;
    }

    public static NvmeClient Join(BenchOptions options, NvmeClient admin, int queue, int blockShift) =>
        new(options, queue, admin.ControllerId, blockShift);

    public override void Submit(int slot, RequestKind kind, long offset)
    {
        var first = offset >> blockShift;
        var opcode = kind switch
        {
            RequestKind.Read => NvmOpcode.Read,
            RequestKind.Write => NvmOpcode.Write,
            _ => NvmOpcode.Flush,
        };
        var entry = Entry((byte)opcode, (ushort)slot, 1);
        if (kind == RequestKind.Flush)
        {
            Capsule(entry, default);
            return;
        }
        entry = entry with
        {
            Dword10 = (uint)first,
            Dword11 = (uint)(first >> 32),
            Dword12 = (uint)((Options.BlockBytes >> blockShift) - 1),
        };
        var isInCapsule = kind == RequestKind.Write && Options.BlockBytes <= PduFrame.MaxInCapsuleBytes;
        entry = entry with { Data = new(0, (uint)Options.BlockBytes, isInCapsule ? SglDescriptor.InCapsule : SglDescriptor.Transport) };
        Capsule(entry, isInCapsule ? Buffer(slot) : default);
    }

    public override int Complete()
    {
        while (true)
        {
            var pdu = ReceiveHeader();
            switch (pdu.Type)
            {
                case PduType.ControllerData:
                    var part = DataPdu.Read(header);
                    ReceiveData(pdu, Buffer(part.CommandId).AsSpan((int)part.DataOffset, (int)part.DataBytes));
                    if ((pdu.Flags & PduFlags.Success) != PduFlags.None) return part.CommandId;
                    break;
                case PduType.ReadyToTransfer:
                    var asked = ReadyToTransferPdu.Read(header);
                    SendData(asked, Buffer(asked.CommandId).AsSpan((int)asked.DataOffset, (int)asked.DataBytes));
                    break;
                case PduType.ResponseCapsule:
                    var response = ResponseCapsule.Read(header);
                    if (response.Status != NvmeStatus.Success) throw new IOException($"a command failed: {response.Status}");
                    return response.CommandId;
                default:
                    throw new IOException($"a {pdu.Type} on queue {queue}");
            }
        }
    }

    // A command whose data are none of a slot's.
    ulong Finish(Span<byte> data)
    {
        while (true)
        {
            var pdu = ReceiveHeader();
            if (pdu.Type == PduType.ControllerData)
            {
                var part = DataPdu.Read(header);
                ReceiveData(pdu, data.Slice((int)part.DataOffset, (int)part.DataBytes));
                if ((pdu.Flags & PduFlags.Success) != PduFlags.None) return 0;
                continue;
            }
            var response = ResponseCapsule.Read(header);
            return response.Status == NvmeStatus.Success
                ? response.Result
                : throw new IOException($"a command of queue {queue} failed: {response.Status}");
        }
    }

    PduHeader ReceiveHeader()
    {
        Wire.Receive(header.AsSpan(0, PduHeader.SizeBytes));
        var pdu = PduHeader.Read(header);
        var digestBytes = digests.Header ? PduHeader.DigestBytes : 0;
        Wire.Receive(header.AsSpan(PduHeader.SizeBytes, pdu.HeaderBytes - PduHeader.SizeBytes + digestBytes));
        if (digests.Header && !Digests.Matches(header.AsSpan(pdu.HeaderBytes), Crc32C.Compute(header.AsSpan(0, pdu.HeaderBytes))))
            throw new IOException("a header does not match its digest");
        return pdu;
    }

    void ReceiveData(in PduHeader pdu, Span<byte> target)
    {
        Wire.Receive(target);
        if ((pdu.Flags & PduFlags.DataDigest) == PduFlags.None) return;
        Span<byte> digest = stackalloc byte[PduHeader.DigestBytes];
        Wire.Receive(digest);
        if (!Digests.Matches(digest, Crc32C.Compute(target))) throw new IOException("data do not match their digest");
    }

    void SendData(ReadyToTransferPdu asked, ReadOnlySpan<byte> data)
    {
        var dataAt = DataPdu.DataAt(digests, PduFrame.DataAlignment);
        new DataPdu(asked.CommandId, asked.TransferTag, asked.DataOffset, asked.DataBytes)
            .Write(Wire.Add(dataAt), PduType.HostData, PduFlags.LastPdu, digests, dataAt);
        AddData(data);
    }

    void AddData(ReadOnlySpan<byte> data)
    {
        Wire.Add(data);
        if (digests.Data) Digests.Write(Wire.Add(PduHeader.DigestBytes), Crc32C.Compute(data));
    }

    void Capsule(SubmissionEntry entry, ReadOnlySpan<byte> data)
    {
        if (entry.Data.Kind == 0) entry = entry with { Data = new(0, (uint)data.Length, SglDescriptor.InCapsule) };
        var headerBytes = CommandCapsule.HeaderBytes + (digests.Header ? PduHeader.DigestBytes : 0);
        var hasData = !data.IsEmpty;
        var flags = (digests.Header ? PduFlags.HeaderDigest : PduFlags.None)
            | (digests.Data && hasData ? PduFlags.DataDigest : PduFlags.None);
        var length = headerBytes + data.Length + (digests.Data && hasData ? PduHeader.DigestBytes : 0);
        var capsule = Wire.Add(headerBytes);
        new PduHeader(
            PduType.CommandCapsule, flags, CommandCapsule.HeaderBytes, (byte)(hasData ? headerBytes : 0), (uint)length).Write(capsule);
        entry.Write(capsule[CommandCapsule.EntryOffset..]);
        digests.SealHeader(capsule, CommandCapsule.HeaderBytes);
        if (hasData) AddData(data);
    }

    static SubmissionEntry Fabrics(FabricsType type, uint dword10, uint dword11, uint dword12) =>
        Entry(SubmissionEntry.FabricsOpcode, 0, (uint)type) with { Dword10 = dword10, Dword11 = dword11, Dword12 = dword12 };

    static SubmissionEntry Entry(byte opcode, ushort id, uint nameSpace) =>
        new(opcode, 0x40, id, nameSpace, default, 0, 0, 0, 0, 0, 0);
}
