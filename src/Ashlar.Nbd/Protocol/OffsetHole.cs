using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Payload of a chunk NBD_REPLY_TYPE_OFFSET_HOLE. A chunk NBD_REPLY_TYPE_OFFSET_DATA starts with the same offset, then
// the data follow.
//   0             8             12
//   +-------------+-------------+
//   | OffsetBytes | LengthBytes |
//   +-------------+-------------+
readonly record struct OffsetHole(ulong OffsetBytes, uint LengthBytes)
{
    public const int SizeBytes = 12;
    const int OffsetOffset = 0, LengthOffset = 8;

    public static OffsetHole Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64BigEndian(source[OffsetOffset..]),
        BinaryPrimitives.ReadUInt32BigEndian(source[LengthOffset..]));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target[OffsetOffset..], OffsetBytes);
        BinaryPrimitives.WriteUInt32BigEndian(target[LengthOffset..], LengthBytes);
    }
}
