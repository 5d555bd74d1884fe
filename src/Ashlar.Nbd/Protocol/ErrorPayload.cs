using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Payload of a chunk NBD_REPLY_TYPE_ERROR. MessageBytes of UTF-8 follow.
//   0       4              6
//   +-------+--------------+
//   | Error | MessageBytes |
//   +-------+--------------+
readonly record struct ErrorPayload(NbdError Error, ushort MessageBytes)
{
    public const int SizeBytes = 6;
    const int ErrorOffset = 0, MessageBytesOffset = 4;

    public static ErrorPayload Read(ReadOnlySpan<byte> source) => new(
        (NbdError)BinaryPrimitives.ReadUInt32BigEndian(source[ErrorOffset..]),
        BinaryPrimitives.ReadUInt16BigEndian(source[MessageBytesOffset..]));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[ErrorOffset..], (uint)Error);
        BinaryPrimitives.WriteUInt16BigEndian(target[MessageBytesOffset..], MessageBytes);
    }
}
