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
    internal const int LengthOffset = 24;
    const int MagicOffset = 0, FlagsOffset = 4, CommandOffset = 6, CookieOffset = 8, OffsetOffset = 16;

    public static bool TryRead(ReadOnlySpan<byte> source, out RequestHeader header) =>
        TryRead(source, NbdProtocol.RequestMagic, BinaryPrimitives.ReadUInt32BigEndian(source[LengthOffset..]), out header);

    public void Write(Span<byte> target)
    {
        WriteStart(target, NbdProtocol.RequestMagic);
        BinaryPrimitives.WriteUInt32BigEndian(target[LengthOffset..], checked((uint)LengthBytes));
    }

    /// <summary>Reads what stands before the length, which is the same in both forms of a request.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> source, uint magic, ulong lengthBytes, out RequestHeader header)
    {
        header = new(
            (CommandFlags)BinaryPrimitives.ReadUInt16BigEndian(source[FlagsOffset..]),
            (CommandCode)BinaryPrimitives.ReadUInt16BigEndian(source[CommandOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[CookieOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[OffsetOffset..]),
            lengthBytes);
        return BinaryPrimitives.ReadUInt32BigEndian(source[MagicOffset..]) == magic;
    }

    /// <summary>Writes what stands before the length.</summary>
    internal void WriteStart(Span<byte> target, uint magic)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[MagicOffset..], magic);
        BinaryPrimitives.WriteUInt16BigEndian(target[FlagsOffset..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(target[CommandOffset..], (ushort)Command);
        BinaryPrimitives.WriteUInt64BigEndian(target[CookieOffset..], Cookie);
        BinaryPrimitives.WriteUInt64BigEndian(target[OffsetOffset..], OffsetBytes);
    }
}
