using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Interop.Tests.Crashes;

// A 4 KiB block that says who it is. Little-endian.
//   0        8        16        24         32       36      40                      4092   4096
//   +--------+--------+---------+----------+--------+-------+------------------------+--------+
//   | "ASHL  | Run    | Block   | Version  | Writer | Cycle | bytes made of run,     | Crc32C |
//   |  KILL" |        |         |          |        |       | block and version      |        |
//   +--------+--------+---------+----------+--------+-------+------------------------+--------+
// Crc32C covers bytes 0..4092, and every 512-byte sector differs between versions, so a block put together
// from two writes never passes.
readonly record struct BlockStamp(ulong Run, long Block, long Version, int Writer, int Cycle)
{
    public const int SizeBytes = 4096;
    const ulong Magic = 0x4C4C494B4C485341; // "ASHLKILL"
    const int RunOffset = 8, BlockOffset = 16, VersionOffset = 24, WriterOffset = 32, CycleOffset = 36, BodyOffset = 40;
    const int ChecksumOffset = SizeBytes - sizeof(uint);

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(target[RunOffset..], Run);
        BinaryPrimitives.WriteInt64LittleEndian(target[BlockOffset..], Block);
        BinaryPrimitives.WriteInt64LittleEndian(target[VersionOffset..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(target[WriterOffset..], Writer);
        BinaryPrimitives.WriteInt32LittleEndian(target[CycleOffset..], Cycle);
        var state = Run ^ unchecked((ulong)Block * 0x9E3779B97F4A7C15) ^ unchecked((ulong)Version * 0xBF58476D1CE4E5B9) | 1;
        for (var offset = BodyOffset; offset + sizeof(ulong) <= ChecksumOffset; offset += sizeof(ulong))
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            BinaryPrimitives.WriteUInt64LittleEndian(target[offset..], state);
        }
        target[(ChecksumOffset - sizeof(uint))..ChecksumOffset].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target[ChecksumOffset..], Crc32C.Compute(target[..ChecksumOffset]));
    }

    /// <summary>The stamp of a whole block; null when the bytes are not one whole block of this kind.</summary>
    public static BlockStamp? Read(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.ReadUInt64LittleEndian(source) == Magic
        && BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumOffset..]) == Crc32C.Compute(source[..ChecksumOffset])
            ? ReadHeader(source)
            : null;

    /// <summary>What the first bytes claim, whole or not, for messages.</summary>
    public static BlockStamp ReadHeader(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(source[RunOffset..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[BlockOffset..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[VersionOffset..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[WriterOffset..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[CycleOffset..]));
}
