using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// One chunk of a structured reply, server to client. LengthBytes of payload follow, laid out by the chunk's type.
//   0                      4       6      8         16            20
//   +----------------------+-------+------+---------+-------------+
//   | StructuredReplyMagic | Flags | Type | Cookie  | LengthBytes |
//   +----------------------+-------+------+---------+-------------+
readonly record struct ChunkHeader(ChunkFlags Flags, ChunkCode Type, ulong Cookie, uint LengthBytes)
{
    public const int SizeBytes = 20;
    const int MagicOffset = 0, FlagsOffset = 4, TypeOffset = 6, CookieOffset = 8, LengthOffset = 16;

    public static bool TryRead(ReadOnlySpan<byte> source, out ChunkHeader header)
    {
        header = new(
            (ChunkFlags)BinaryPrimitives.ReadUInt16BigEndian(source[FlagsOffset..]),
            (ChunkCode)BinaryPrimitives.ReadUInt16BigEndian(source[TypeOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[CookieOffset..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[LengthOffset..]));
        return BinaryPrimitives.ReadUInt32BigEndian(source[MagicOffset..]) == NbdProtocol.StructuredReplyMagic;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[MagicOffset..], NbdProtocol.StructuredReplyMagic);
        BinaryPrimitives.WriteUInt16BigEndian(target[FlagsOffset..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(target[TypeOffset..], (ushort)Type);
        BinaryPrimitives.WriteUInt64BigEndian(target[CookieOffset..], Cookie);
        BinaryPrimitives.WriteUInt32BigEndian(target[LengthOffset..], LengthBytes);
    }
}
