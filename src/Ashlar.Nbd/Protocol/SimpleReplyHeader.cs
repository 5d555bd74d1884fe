using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Simple reply, server to client. After a successful READ the data follow; a client without structured replies knows
// their length from its request.
//   0                  4       8         16
//   +------------------+-------+---------+
//   | SimpleReplyMagic | Error | Cookie  |
//   +------------------+-------+---------+
readonly record struct SimpleReplyHeader(NbdError Error, ulong Cookie)
{
    public const int SizeBytes = 16;
    const int MagicOffset = 0, ErrorOffset = 4, CookieOffset = 8;

    public static bool TryRead(ReadOnlySpan<byte> source, out SimpleReplyHeader header)
    {
        header = new(
            (NbdError)BinaryPrimitives.ReadUInt32BigEndian(source[ErrorOffset..]),
            BinaryPrimitives.ReadUInt64BigEndian(source[CookieOffset..]));
        return BinaryPrimitives.ReadUInt32BigEndian(source[MagicOffset..]) == NbdProtocol.SimpleReplyMagic;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[MagicOffset..], NbdProtocol.SimpleReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(target[ErrorOffset..], (uint)Error);
        BinaryPrimitives.WriteUInt64BigEndian(target[CookieOffset..], Cookie);
    }
}
