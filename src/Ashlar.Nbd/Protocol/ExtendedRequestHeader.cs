using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Request of a client that has negotiated extended headers. LengthBytes of payload follow if Flags has PayloadLength; otherwise nothing
// follows, and the length is that of the range that the command is about.
//   0                      4       6         8         16            24            32
//   +----------------------+-------+---------+---------+-------------+-------------+
//   | ExtendedRequestMagic | Flags | Command | Cookie  | OffsetBytes | LengthBytes |
//   +----------------------+-------+---------+---------+-------------+-------------+
static class ExtendedRequestHeader
{
    public const int SizeBytes = 32;
    const int MagicOffset = 0, FlagsOffset = 4, CommandOffset = 6, CookieOffset = 8, OffsetOffset = 16, LengthOffset = 24;

    public static bool TryRead(ReadOnlySpan<byte> source, out RequestHeader header)
    {
        header = new(
            (CommandFlags)BinaryPrimitives.ReadUInt16BigEndian(source[FlagsOffset..]),
            (CommandCode)BinaryPrimitives.ReadUInt16BigEndian(source[CommandOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[CookieOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[OffsetOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[LengthOffset..]));
        return BinaryPrimitives.ReadUInt32BigEndian(source[MagicOffset..]) == NbdProtocol.ExtendedRequestMagic;
    }

    public static void Write(in RequestHeader header, Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[MagicOffset..], NbdProtocol.ExtendedRequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(target[FlagsOffset..], (ushort)header.Flags);
        BinaryPrimitives.WriteUInt16BigEndian(target[CommandOffset..], (ushort)header.Command);
        BinaryPrimitives.WriteUInt64BigEndian(target[CookieOffset..], header.Cookie);
        BinaryPrimitives.WriteUInt64BigEndian(target[OffsetOffset..], header.OffsetBytes);
        BinaryPrimitives.WriteUInt64BigEndian(target[LengthOffset..], header.LengthBytes);
    }
}
