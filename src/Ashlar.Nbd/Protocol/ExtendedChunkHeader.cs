using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// One chunk of a reply to a client that has negotiated extended headers. OffsetBytes is that of the request; LengthBytes of payload
// follow, laid out by the chunk's type.
//   0                    4       6      8         16            24            32
//   +--------------------+-------+------+---------+-------------+-------------+
//   | ExtendedReplyMagic | Flags | Type | Cookie  | OffsetBytes | LengthBytes |
//   +--------------------+-------+------+---------+-------------+-------------+
readonly record struct ExtendedChunkHeader(ChunkFlags Flags, ChunkCode Type, ulong Cookie, ulong OffsetBytes, ulong LengthBytes)
{
    public const int SizeBytes = 32;
    const int MagicOffset = 0, FlagsOffset = 4, TypeOffset = 6, CookieOffset = 8, OffsetOffset = 16, LengthOffset = 24;

    public static bool TryRead(ReadOnlySpan<byte> source, out ExtendedChunkHeader header)
    {
        header = new(
            (ChunkFlags)BinaryPrimitives.ReadUInt16BigEndian(source[FlagsOffset..]),
            (ChunkCode)BinaryPrimitives.ReadUInt16BigEndian(source[TypeOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[CookieOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[OffsetOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[LengthOffset..]));
        return BinaryPrimitives.ReadUInt32BigEndian(source[MagicOffset..]) == NbdProtocol.ExtendedReplyMagic;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[MagicOffset..], NbdProtocol.ExtendedReplyMagic);
        BinaryPrimitives.WriteUInt16BigEndian(target[FlagsOffset..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(target[TypeOffset..], (ushort)Type);
        BinaryPrimitives.WriteUInt64BigEndian(target[CookieOffset..], Cookie);
        BinaryPrimitives.WriteUInt64BigEndian(target[OffsetOffset..], OffsetBytes);
        BinaryPrimitives.WriteUInt64BigEndian(target[LengthOffset..], LengthBytes);
    }
}
