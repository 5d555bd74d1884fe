using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// Head of a record, format version 1. Little-endian, 64 bytes, at a multiple of 4,096 bytes of its area; behind it the changes, then zeros
// up to a multiple of 4,096 bytes, so that no record shares a block with another and a torn write damages none that is durable.
//
//   0       4              8       16           24         32                40            44      60       64
//   +-------+--------------+-------+------------+----------+-----------------+-------------+-------+--------+---------+-------+
//   | Magic | PayloadBytes | Nonce | Generation | Sequence | DurableSequence | PreviousCrc | zeros | Crc32C | Changes | zeros |
//   +-------+--------------+-------+------------+----------+-----------------+-------------+-------+--------+---------+-------+
//
// Magic: "ASTX". Nonce, Generation: those of the area. Sequence: one more than that of the record before. DurableSequence: records up to
// here were durable when this one was written; what is missing although a later record says so was not torn but damaged. PreviousCrc:
// Crc32C of the record before, of the area's head for the first: what an earlier life left behind the end does not continue the chain.
// Crc32C covers bytes 0..60 and the changes.
readonly record struct RecordFormat(int PayloadBytes, ulong Nonce, long Generation, long Sequence, long DurableSequence, uint PreviousCrc)
{
    public const int HeadBytes = 64;
    public const int BlockBytes = 4096;

    const uint Magic = 0x58545341; // "ASTX"
    const int PayloadOffset = 4, NonceOffset = 8, GenerationOffset = 16, SequenceOffset = 24, DurableOffset = 32, PreviousOffset = 40;
    const int Crc32COffset = HeadBytes - sizeof(uint);

    public long SizeBytes => Padded(HeadBytes + (long)PayloadBytes);

    public static long Padded(long bytes) => (bytes + BlockBytes - 1) / BlockBytes * BlockBytes;

    /// <summary>Fills in the head before the changes, which are in their place.</summary>
    /// <returns>The checksum.</returns>
    public uint Write(Span<byte> target)
    {
        target[..HeadBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(target[PayloadOffset..], PayloadBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(target[NonceOffset..], Nonce);
        BinaryPrimitives.WriteInt64LittleEndian(target[GenerationOffset..], Generation);
        BinaryPrimitives.WriteInt64LittleEndian(target[SequenceOffset..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(target[DurableOffset..], DurableSequence);
        BinaryPrimitives.WriteUInt32LittleEndian(target[PreviousOffset..], PreviousCrc);
        var crc = Checksum(target, PayloadBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[Crc32COffset..], crc);
        return crc;
    }

    /// <summary>Reads what may be a record. Whether it belongs where it lies is for the caller to see.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out RecordFormat head, out uint crc)
    {
        head = default;
        crc = 0;
        if (source.Length < HeadBytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic) return false;
        var payload = BinaryPrimitives.ReadInt32LittleEndian(source[PayloadOffset..]);
        if (payload < 0 || payload > source.Length - HeadBytes) return false;
        crc = BinaryPrimitives.ReadUInt32LittleEndian(source[Crc32COffset..]);
        if (crc != Checksum(source, payload)) return false;
        head = new RecordFormat(
            payload,
            BinaryPrimitives.ReadUInt64LittleEndian(source[NonceOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[GenerationOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[SequenceOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[DurableOffset..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[PreviousOffset..]));
        return true;
    }

    static uint Checksum(ReadOnlySpan<byte> record, int payloadBytes) =>
        Crc32C.Append(Crc32C.Compute(record[..Crc32COffset]), record.Slice(HeadBytes, payloadBytes));
}
