using System.Buffers.Binary;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Values;

// Head of a value that was moved, format version 1. Little-endian. A segment of moved values has the head of a log segment, then
// records; behind each head follows a log entry, as it was in the log, so that places lead to both in the same way.
//   0          8         12     16
//   +----------+---------+------+------------+   HeadCrc covers Sequence, the record's own offset (8 bytes, not stored), and the 16
//   | Sequence | HeadCrc | Zero | LogEntry.. |   bytes of the entry's head, which hold the checksums of key and value. It starts
//   +----------+---------+------+------------+   from the segment's seed.
readonly record struct MovedRecordHeader(ulong Sequence, uint HeadCrc)
{
    public const int SizeBytes = 16;

    public static void Write(Span<byte> target, ulong sequence, long offset, uint seed, ReadOnlySpan<byte> entryHead)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Checksum(sequence, offset, seed, entryHead));
        target[12..SizeBytes].Clear();
    }

    /// <summary>Reads a head that claims to lie at <paramref name="offset"/>; false if it does not hold.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, long offset, uint seed, out MovedRecordHeader header)
    {
        header = default;
        if (source.Length < SizeBytes + LogEntry.HeaderBytes) return false;
        header = new(BinaryPrimitives.ReadUInt64LittleEndian(source), BinaryPrimitives.ReadUInt32LittleEndian(source[8..]));
        return header.HeadCrc == Checksum(header.Sequence, offset, seed, source.Slice(SizeBytes, LogEntry.HeaderBytes))
            && !source[12..SizeBytes].ContainsAnyExcept((byte)0);
    }

    static uint Checksum(ulong sequence, long offset, uint seed, ReadOnlySpan<byte> entryHead)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, sequence);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], offset);
        return Crc32C.Append(Crc32C.Append(seed, bytes), entryHead);
    }
}
