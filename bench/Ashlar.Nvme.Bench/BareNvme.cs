using System.Buffers.Binary;
using Ashlar.Storage;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Nvme.Bench;

/// <summary>NVMe/TCP from a file with blocks of 512 bytes: what the generator sends, and no more. No digests.</summary>
static class BareNvme
{
    const int BlockShift = 9;

    public static void Serve(Wire wire, SafeFileHandle file)
    {
        var header = new byte[PduHeader.MaxHeaderBytes];
        wire.Receive(header);
        new InitializeResponse(0, 0, default, PduFrame.MaxHostDataBytes).Write(wire.Add(InitializeResponse.SizeBytes));
        var data = new byte[1 << 20];
        var solicited = new SubmissionEntry[ushort.MaxValue + 1];
        var (isAdmin, isFlowControlled) = (false, true);
        while (wire.Wait())
        {
            wire.Receive(header.AsSpan(0, PduHeader.SizeBytes));
            var pdu = PduHeader.Read(header);
            wire.Receive(header.AsSpan(PduHeader.SizeBytes, pdu.HeaderBytes - PduHeader.SizeBytes));
            if (pdu.Type == PduType.HostData)
            {
                var part = DataPdu.Read(header);
                Write(wire, file, solicited[part.CommandId], data.AsSpan(0, (int)part.DataBytes));
                continue;
            }
            Invariant.Require(pdu.Type == PduType.CommandCapsule);
            var entry = SubmissionEntry.Read(header.AsSpan(CommandCapsule.EntryOffset));
            var length = (int)entry.Data.LengthBytes;
            if (entry.IsFabrics)
            {
                if (entry.FabricsType == FabricsType.Connect)
                    (isAdmin, isFlowControlled) = (entry.Dword10 >> 16 == 0, (entry.Dword11 & (1 << 18)) == 0);
                wire.Receive(data.AsSpan(0, length));
                Respond(wire, entry, 1);
            }
            else if (isAdmin)
            {
                Identify(data.AsSpan(0, length), RandomAccess.GetLength(file));
                Answer(wire, entry, data.AsSpan(0, length), isFlowControlled);
            }
            else
            {
                RunIo(wire, file, entry, length, data, solicited, isFlowControlled);
            }
        }
    }

    static void RunIo(
        Wire wire, SafeFileHandle file, in SubmissionEntry entry, int length, byte[] data, SubmissionEntry[] solicited,
        bool isFlowControlled)
    {
        switch ((NvmOpcode)entry.Opcode)
        {
            case NvmOpcode.Read when length <= 64 << 10:
                var room = wire.Add(DataPdu.HeaderBytes + length);
                Header(room, entry, length, isFlowControlled);
                RandomAccess.Read(file, room[DataPdu.HeaderBytes..], OffsetOf(entry));
                if (isFlowControlled) Respond(wire, entry, 0);
                break;
            case NvmOpcode.Read:
                RandomAccess.Read(file, data.AsSpan(0, length), OffsetOf(entry));
                Answer(wire, entry, data.AsSpan(0, length), isFlowControlled);
                break;
            case NvmOpcode.Write when entry.Data.Kind == SglDescriptor.InCapsule:
                Write(wire, file, entry, data.AsSpan(0, length));
                break;
            case NvmOpcode.Write:
                solicited[entry.CommandId] = entry;
                new ReadyToTransferPdu(entry.CommandId, entry.CommandId, 0, (uint)length)
                    .Write(wire.Add(ReadyToTransferPdu.HeaderBytes), default);
                break;
            default:
                RandomAccess.FlushToDisk(file);
                Respond(wire, entry, 0);
                break;
        }
    }

    static void Write(Wire wire, SafeFileHandle file, in SubmissionEntry entry, Span<byte> data)
    {
        wire.Receive(data);
        RandomAccess.Write(file, data, OffsetOf(entry));
        Respond(wire, entry, 0);
    }

    static long OffsetOf(in SubmissionEntry entry) => (long)entry.Quad10 << BlockShift;

    static void Respond(Wire wire, in SubmissionEntry entry, ulong result) =>
        new ResponseCapsule(result, 0, entry.CommandId, NvmeStatus.Success).Write(wire.Add(ResponseCapsule.HeaderBytes), default);

    static void Header(Span<byte> target, in SubmissionEntry entry, int length, bool isFlowControlled) =>
        new DataPdu(entry.CommandId, 0, 0, (uint)length).Write(
            target, PduType.ControllerData, PduFlags.LastPdu | (isFlowControlled ? PduFlags.None : PduFlags.Success), default,
            DataPdu.HeaderBytes);

    static void Answer(Wire wire, in SubmissionEntry entry, ReadOnlySpan<byte> data, bool isFlowControlled)
    {
        Header(wire.Add(DataPdu.HeaderBytes), entry, data.Length, isFlowControlled);
        wire.Add(data);
        if (isFlowControlled) Respond(wire, entry, 0);
    }

    // Identify: the size, and blocks of 2^9 bytes.
    static void Identify(Span<byte> data, long sizeBytes)
    {
        data.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(data, sizeBytes >> BlockShift);
        data[130] = BlockShift;
    }
}
