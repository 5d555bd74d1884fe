using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Payload of a chunk NBD_REPLY_TYPE_BLOCK_STATUS: the id of the metadata context, then one or more descriptors.
//   0           4             8        12
//   +-----------+-------------+--------+-------------+--------+--
//   | ContextId | LengthBytes | Flags  | LengthBytes | Flags  | ...
//   +-----------+-------------+--------+-------------+--------+--
readonly record struct BlockDescriptor(uint LengthBytes, AllocationFlags Flags)
{
    public const int SizeBytes = 8;
    public const int ContextIdBytes = 4;
    const int LengthOffset = 0, FlagsOffset = 4;

    public static BlockDescriptor Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32BigEndian(source[LengthOffset..]),
        (AllocationFlags)BinaryPrimitives.ReadUInt32BigEndian(source[FlagsOffset..]));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[LengthOffset..], LengthBytes);
        BinaryPrimitives.WriteUInt32BigEndian(target[FlagsOffset..], (uint)Flags);
    }
}
