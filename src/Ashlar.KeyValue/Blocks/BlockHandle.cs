using System.Buffers.Binary;

namespace Ashlar.KeyValue.Blocks;

// Where a block of a table lies, 16 bytes, little-endian. The checksum is kept with the reference as well as in the block, so
// that a block that was written to the wrong place, or an old one that came back, is noticed.
//   0        8            12    16
//   +--------+------------+-----+
//   | Offset | SizeBytes  | Crc |   SizeBytes includes the block's trailer.
//   +--------+------------+-----+
readonly record struct BlockHandle(long Offset, int SizeBytes, uint Crc)
{
    public const int EncodedBytes = 16;

    public static BlockHandle Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt64LittleEndian(source),
        BinaryPrimitives.ReadInt32LittleEndian(source[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[12..]));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, Offset);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], SizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Crc);
    }
}

// What the top index block says of each index block, 32 bytes: where it lies, and where the filter of its keys does.
//   0       16       32
//   +-------+--------+
//   | Index | Filter |
//   +-------+--------+
readonly record struct PartitionHandle(BlockHandle Index, BlockHandle Filter)
{
    public const int EncodedBytes = 2 * BlockHandle.EncodedBytes;

    public static PartitionHandle Read(ReadOnlySpan<byte> source) =>
        new(BlockHandle.Read(source), BlockHandle.Read(source[BlockHandle.EncodedBytes..]));

    public void Write(Span<byte> target)
    {
        Index.Write(target);
        Filter.Write(target[BlockHandle.EncodedBytes..]);
    }
}
