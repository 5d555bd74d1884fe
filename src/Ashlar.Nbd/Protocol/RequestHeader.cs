using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Request, client to server. After a WRITE, LengthBytes of payload follow. The cookie is the client's and comes back in
// the reply; it is never looked at here, so a client that uses one twice confuses only itself.
//   0              4       6         8         16            24            28
//   +--------------+-------+---------+---------+-------------+-------------+
//   | RequestMagic | Flags | Command | Cookie  | OffsetBytes | LengthBytes |
//   +--------------+-------+---------+---------+-------------+-------------+
readonly record struct RequestHeader(
    CommandFlags Flags,
    CommandCode Command,
    ulong Cookie,
    ulong OffsetBytes,
    ulong LengthBytes)
{
    public const int SizeBytes = 28;
    const int MagicOffset = 0, FlagsOffset = 4, CommandOffset = 6, CookieOffset = 8, OffsetOffset = 16, LengthOffset = 24;

    public static bool TryRead(ReadOnlySpan<byte> source, out RequestHeader header)
    {
        header = new(
            (CommandFlags)BinaryPrimitives.ReadUInt16BigEndian(source[FlagsOffset..]),
            (CommandCode)BinaryPrimitives.ReadUInt16BigEndian(source[CommandOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[CookieOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[OffsetOffset..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[LengthOffset..]));
        return BinaryPrimitives.ReadUInt32BigEndian(source[MagicOffset..]) == NbdProtocol.RequestMagic;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[MagicOffset..], NbdProtocol.RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(target[FlagsOffset..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(target[CommandOffset..], (ushort)Command);
        BinaryPrimitives.WriteUInt64BigEndian(target[CookieOffset..], Cookie);
        BinaryPrimitives.WriteUInt64BigEndian(target[OffsetOffset..], OffsetBytes);
        BinaryPrimitives.WriteUInt32BigEndian(target[LengthOffset..], checked((uint)LengthBytes));
    }
}
