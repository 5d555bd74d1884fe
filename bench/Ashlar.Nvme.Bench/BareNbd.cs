using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Nvme.Bench;

/// <summary>NBD from a file: what a client needs that asks for any export, and no more.</summary>
static class BareNbd
{
    const ushort HasFlagsAndFlush = 0b101;

    public static void Serve(Wire wire, SafeFileHandle file)
    {
        Greet(wire, RandomAccess.GetLength(file));
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
                    Read(wire, file, handle, offset, length, data);
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
    static void Read(Wire wire, SafeFileHandle file, ReadOnlySpan<byte> handle, long offset, int length, byte[] data)
    {
        if (length <= 64 << 10)
        {
            var room = wire.Add(NbdClient.ReplyBytes + length);
            Reply(room, handle);
            RandomAccess.Read(file, room[NbdClient.ReplyBytes..], offset);
            return;
        }
        RandomAccess.Read(file, data.AsSpan(0, length), offset);
        Reply(wire.Add(NbdClient.ReplyBytes), handle);
        wire.Add(data.AsSpan(0, length));
    }

    static void Reply(Span<byte> reply, ReadOnlySpan<byte> handle)
    {
        BinaryPrimitives.WriteUInt32BigEndian(reply, NbdClient.ReplyMagic);
        BinaryPrimitives.WriteInt32BigEndian(reply[4..], 0);
        handle.CopyTo(reply[8..]);
    }

    static void Greet(Wire wire, long sizeBytes)
    {
        var greeting = wire.Add(18);
        BinaryPrimitives.WriteUInt64BigEndian(greeting, NbdClient.Magic);
        BinaryPrimitives.WriteUInt64BigEndian(greeting[8..], NbdClient.OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(greeting[16..], NbdClient.FixedNewstyle | NbdClient.NoZeroes);
        Span<byte> option = stackalloc byte[20];
        wire.Receive(option);
        wire.Receive(new byte[BinaryPrimitives.ReadInt32BigEndian(option[16..])]);

        Reply(wire, NbdClient.InfoReply, 12);
        var info = wire.Add(12);
        BinaryPrimitives.WriteUInt16BigEndian(info, 0);
        BinaryPrimitives.WriteInt64BigEndian(info[2..], sizeBytes);
        BinaryPrimitives.WriteUInt16BigEndian(info[10..], HasFlagsAndFlush);
        Reply(wire, NbdClient.Acknowledged, 0);

        static void Reply(Wire wire, int kind, int length)
        {
            var reply = wire.Add(20);
            BinaryPrimitives.WriteUInt64BigEndian(reply, NbdClient.OptionReplyMagic);
            BinaryPrimitives.WriteInt32BigEndian(reply[8..], NbdClient.GoOption);
            BinaryPrimitives.WriteInt32BigEndian(reply[12..], kind);
            BinaryPrimitives.WriteInt32BigEndian(reply[16..], length);
        }
    }
}
