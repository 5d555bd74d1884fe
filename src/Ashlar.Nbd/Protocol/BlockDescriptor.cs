using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Payload of a chunk NBD_REPLY_TYPE_BLOCK_STATUS: the id of the metadata context, then one or more descriptors.
//   0           4             8        12
//   +-----------+-------------+--------+-------------+--------+--
//   | ContextId | LengthBytes | Status | LengthBytes | Status | ...
//   +-----------+-------------+--------+-------------+--------+--
//
// Of a chunk NBD_REPLY_TYPE_BLOCK_STATUS_EXT, of clients that have negotiated extended headers:
//   0           4       8             16       24
//   +-----------+-------+-------------+--------+-------------+--------+--
//   | ContextId | Count | LengthBytes | Status | LengthBytes | Status | ...
//   +-----------+-------+-------------+--------+-------------+--------+--
readonly record struct BlockDescriptor(ulong LengthBytes, uint Status)
{
    public const int SizeBytes = 8, WideSizeBytes = 16;

    /// <summary>What comes before the descriptors.</summary>
    public const int PrefixBytes = 4, WidePrefixBytes = 8;

    const int LengthOffset = 0, StatusOffset = 4, WideStatusOffset = 8;

    public static BlockDescriptor Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32BigEndian(source[LengthOffset..]),
        BinaryPrimitives.ReadUInt32BigEndian(source[StatusOffset..]));

    public static BlockDescriptor ReadWide(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64BigEndian(source[LengthOffset..]),
        checked((uint)BinaryPrimitives.ReadUInt64BigEndian(source[WideStatusOffset..])));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[LengthOffset..], checked((uint)LengthBytes));
        BinaryPrimitives.WriteUInt32BigEndian(target[StatusOffset..], Status);
    }

    public void WriteWide(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target[LengthOffset..], LengthBytes);
        BinaryPrimitives.WriteUInt64BigEndian(target[WideStatusOffset..], Status);
    }
}
