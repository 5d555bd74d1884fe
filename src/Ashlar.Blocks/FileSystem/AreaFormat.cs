using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// Head of an area, format version 1. Little-endian, 4,096 bytes. Behind it the checkpoint, zeros up to a multiple of 4,096 bytes, then
// records.
//
//   0        8         12      16      32           40      48           56             64            68               4092
//   +--------+---------+-------+-------+------------+-------+------------+--------------+-------------+----------------+--------+
//   | Magic  | Version | zeros | FS id | Generation | Nonce | Checkpoint | LastSequence | Checkpoint- | zeros          | Crc32C |
//   |        |         |       |       |            |       | Bytes      |              | Crc32C      |                |        |
//   +--------+---------+-------+-------+------------+-------+------------+--------------+-------------+----------------+--------+
//
// Magic: "ASHLFSAR". Generation: of two whole areas the greater one counts. Nonce: chance; records behind the checkpoint repeat it.
// LastSequence: of the newest transaction that the checkpoint contains. Crc32C covers bytes 0..4092.
readonly record struct AreaFormat(Guid Id, long Generation, ulong Nonce, long CheckpointBytes, long LastSequence, uint CheckpointCrc)
{
    public const int SizeBytes = 4096;
    public const uint Version = 1;

    const int VersionOffset = 8, IdOffset = 16, GenerationOffset = 32, NonceOffset = 40, BytesOffset = 48, SequenceOffset = 56;
    const int CheckpointCrcOffset = 64, Crc32COffset = SizeBytes - sizeof(uint);

    static ReadOnlySpan<byte> Magic => "ASHLFSAR"u8;

    /// <summary>Where the first record lies in the area.</summary>
    public long LogOffset => SizeBytes + RecordFormat.Padded(CheckpointBytes);

    /// <returns>The checksum, with which the chain of the records begins.</returns>
    public uint Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[VersionOffset..], Version);
        Id.TryWriteBytes(target[IdOffset..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target[GenerationOffset..], Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(target[NonceOffset..], Nonce);
        BinaryPrimitives.WriteInt64LittleEndian(target[BytesOffset..], CheckpointBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[SequenceOffset..], LastSequence);
        BinaryPrimitives.WriteUInt32LittleEndian(target[CheckpointCrcOffset..], CheckpointCrc);
        var crc = Crc32C.Compute(target[..Crc32COffset]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[Crc32COffset..], crc);
        return crc;
    }

    /// <summary>Reads an area from its beginning.</summary>
    /// <returns>Whether head and checkpoint are whole, and of this file system.</returns>
    public static bool TryRead(ReadOnlySpan<byte> area, Guid id, out AreaFormat head, out uint crc)
    {
        head = default;
        crc = 0;
        if (area.Length < SizeBytes || !area.StartsWith(Magic)) return false;
        crc = BinaryPrimitives.ReadUInt32LittleEndian(area[Crc32COffset..]);
        if (crc != Crc32C.Compute(area[..Crc32COffset])) return false;
        head = new AreaFormat(
            new Guid(area.Slice(IdOffset, 16), bigEndian: true),
            BinaryPrimitives.ReadInt64LittleEndian(area[GenerationOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(area[NonceOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(area[BytesOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(area[SequenceOffset..]),
            BinaryPrimitives.ReadUInt32LittleEndian(area[CheckpointCrcOffset..]));
        return head.Id == id
            && BinaryPrimitives.ReadUInt32LittleEndian(area[VersionOffset..]) == Version
            && head.Generation > 0
            && head.LastSequence >= 0
            && head.CheckpointBytes >= 0
            && head.CheckpointBytes <= area.Length - SizeBytes
            && Crc32C.Compute(area.Slice(SizeBytes, (int)head.CheckpointBytes)) == head.CheckpointCrc;
    }
}
