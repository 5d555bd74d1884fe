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

    public static bool TryRead(ReadOnlySpan<byte> source, out RequestHeader header) => RequestHeader.TryRead(
        source, NbdProtocol.ExtendedRequestMagic, BinaryPrimitives.ReadUInt64BigEndian(source[RequestHeader.LengthOffset..]), out header);

    public static void Write(in RequestHeader header, Span<byte> target)
    {
        header.WriteStart(target, NbdProtocol.ExtendedRequestMagic);
        BinaryPrimitives.WriteUInt64BigEndian(target[RequestHeader.LengthOffset..], header.LengthBytes);
    }
}
