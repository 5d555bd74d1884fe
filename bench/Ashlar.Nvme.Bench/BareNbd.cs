using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Nvme.Bench;

/// <summary>NBD from a file: what a client needs that asks for any export, and no more.</summary>
static class BareNbd
{
    const ushort HasFlagsAndFlush = 0b101;

    public static void Serve(Wire wire, SafeFileHandle file)
    {
        var isStructured = Greet(wire, RandomAccess.GetLength(file));
        Span<byte> request = stackalloc byte[NbdClient.RequestBytes];
        var data = new byte[1 << 20];
        while (wire.Wait())
        {
            wire.Receive(request);
            var offset = BinaryPrimitives.ReadInt64BigEndian(request[16..]);
            var length = BinaryPrimitives.ReadInt32BigEndian(request[24..]);
            var handle = request.Slice(8, 8);
            switch (BinaryPrimitives.ReadUInt16BigEndian(request[6..]))
            {
                case NbdClient.ReadCommand:
                    Read(wire, file, handle, offset, length, data, isStructured);
                    break;
                case NbdClient.WriteCommand:
                    wire.Receive(data.AsSpan(0, length));
                    RandomAccess.Write(file, data.AsSpan(0, length), offset);
                    Reply(wire.Add(NbdClient.ReplyBytes), handle);
                    break;
                case NbdClient.FlushCommand:
                    RandomAccess.FlushToDisk(file);
                    Reply(wire.Add(NbdClient.ReplyBytes), handle);
                    break;
                default:
                    return;
            }
        }
    }

    // What is short is read into what is sent.
    static void Read(
        Wire wire, SafeFileHandle file, ReadOnlySpan<byte> handle, long offset, int length, byte[] data, bool isStructured)
    {
        var headerBytes = isStructured ? NbdClient.DataChunkBytes : NbdClient.ReplyBytes;
        if (length <= 64 << 10)
        {
            var room = wire.Add(headerBytes + length);
            Head(room, handle);
            RandomAccess.Read(file, room[headerBytes..], offset);
            return;
        }
        RandomAccess.Read(file, data.AsSpan(0, length), offset);
        Head(wire.Add(headerBytes), handle);
        wire.Add(data.AsSpan(0, length));

        void Head(Span<byte> room, ReadOnlySpan<byte> asked)
        {
            if (isStructured) DataChunk(room, asked, offset, length);
            else Reply(room, asked);
        }
    }

    static void DataChunk(Span<byte> chunk, ReadOnlySpan<byte> handle, long offset, int length)
    {
        BinaryPrimitives.WriteUInt32BigEndian(chunk, NbdClient.StructuredMagic);
        BinaryPrimitives.WriteUInt16BigEndian(chunk[4..], NbdClient.LastChunk);
        BinaryPrimitives.WriteUInt16BigEndian(chunk[6..], NbdClient.DataChunk);
        handle.CopyTo(chunk[8..]);
        BinaryPrimitives.WriteInt32BigEndian(chunk[16..], sizeof(long) + length);
        BinaryPrimitives.WriteInt64BigEndian(chunk[20..], offset);
    }

    static void Reply(Span<byte> reply, ReadOnlySpan<byte> handle)
    {
        BinaryPrimitives.WriteUInt32BigEndian(reply, NbdClient.ReplyMagic);
        BinaryPrimitives.WriteInt32BigEndian(reply[4..], 0);
        handle.CopyTo(reply[8..]);
    }

    // Whether replies are to be structured.
    static bool Greet(Wire wire, long sizeBytes)
    {
        var greeting = wire.Add(18);
        BinaryPrimitives.WriteUInt64BigEndian(greeting, NbdClient.Magic);
        BinaryPrimitives.WriteUInt64BigEndian(greeting[8..], NbdClient.OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(greeting[16..], NbdClient.FixedNewstyle | NbdClient.NoZeroes);
        Span<byte> option = stackalloc byte[16];
        wire.Receive(option[..4]); // Flags.
        var isStructured = false;
        while (true)
        {
            wire.Receive(option);
            wire.Receive(new byte[BinaryPrimitives.ReadInt32BigEndian(option[12..])]);
            if (BinaryPrimitives.ReadInt32BigEndian(option[8..]) != NbdClient.StructuredOption) break;
            isStructured = true;
            Reply(wire, NbdClient.StructuredOption, NbdClient.Acknowledged, 0);
        }

        Reply(wire, NbdClient.GoOption, NbdClient.InfoReply, 12);
        var info = wire.Add(12);
        BinaryPrimitives.WriteUInt16BigEndian(info, 0);
        BinaryPrimitives.WriteInt64BigEndian(info[2..], sizeBytes);
        BinaryPrimitives.WriteUInt16BigEndian(info[10..], HasFlagsAndFlush);
        Reply(wire, NbdClient.GoOption, NbdClient.Acknowledged, 0);
        return isStructured;

        static void Reply(Wire wire, int option, int kind, int length)
        {
            var reply = wire.Add(20);
            BinaryPrimitives.WriteUInt64BigEndian(reply, NbdClient.OptionReplyMagic);
            BinaryPrimitives.WriteInt32BigEndian(reply[8..], option);
            BinaryPrimitives.WriteInt32BigEndian(reply[12..], kind);
            BinaryPrimitives.WriteInt32BigEndian(reply[16..], length);
        }
    }
}
