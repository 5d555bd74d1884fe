using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

/// <summary>What a group of the log holds.</summary>
enum LogGroupKind : byte
{
    /// <summary>Entries of one or more batches.</summary>
    Entries = 1,

    /// <summary>Nothing: the segment ends here and everything before is durable.</summary>
    Seal = 2,
}

// Head of a log group, format version 1. Little-endian. BodyLength bytes of entries follow, then zeros up to 8.
//   0       4           8           16      24       32              40           44      48
//   +-------+-----------+-----------+-------+--------+---------------+------------+-------+
//   | Magic | HeaderCrc | SegmentId | Nonce | Offset | FirstSequence | BodyLength | Count |
//   +-------+-----------+-----------+-------+--------+---------------+------------+-------+
//   48               56                   60        64     65        72           80
//   +----------------+--------------------+---------+------+---------+------------+
//   | DurableThrough | PreviousHeaderCrc  | BodyCrc | Kind | Zero    | CommitTime |
//   +----------------+--------------------+---------+------+---------+------------+
// CommitTime: when the group was committed, in microseconds since 1970 (UTC); never less than that of the group before.
// HeaderCrc covers bytes 8..80, BodyCrc the 16-byte heads of the entries; both start from the segment's seed. HeaderCrc does
// not depend on other groups, so recovery can find later groups behind a damaged one. Offset is the group's own place.
// Segments are new files, and what was not written of one reads as zeros: values of an older group would pass for those of a torn one
// where they end with their own CRC, as all checksums here are CRCs.
readonly record struct LogGroupHeader(
    ulong SegmentId, ulong Nonce, long Offset, ulong FirstSequence, int BodyLength, int Count,
    long DurableThrough, uint PreviousHeaderCrc, uint BodyCrc, LogGroupKind Kind, long CommitTime)
{
    public const int SizeBytes = 80;
    public const uint Magic = 0x504F5247; // "GROP"

    /// <summary>Groups start at multiples of this, so that the search behind a damaged group takes few steps.</summary>
    public const int AlignmentBytes = 8;

    public static long Align(long offset) => (offset + (AlignmentBytes - 1)) & ~(AlignmentBytes - 1L);

    /// <summary>Sequence of its last entry; 0 if it has none.</summary>
    public ulong LastSequence => Count == 0 ? 0 : FirstSequence + (ulong)Count - 1;

    public long EndOffset => Align(checked(Offset + SizeBytes + BodyLength));

    /// <summary>Writes the head and returns its HeaderCrc, which the next group repeats.</summary>
    public uint Write(Span<byte> target, uint seed)
    {
        target[..SizeBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], SegmentId);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], Nonce);
        BinaryPrimitives.WriteInt64LittleEndian(target[24..], Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(target[32..], FirstSequence);
        BinaryPrimitives.WriteInt32LittleEndian(target[40..], BodyLength);
        BinaryPrimitives.WriteInt32LittleEndian(target[44..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(target[48..], DurableThrough);
        BinaryPrimitives.WriteUInt32LittleEndian(target[56..], PreviousHeaderCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(target[60..], BodyCrc);
        target[64] = (byte)Kind;
        BinaryPrimitives.WriteInt64LittleEndian(target[72..], CommitTime);
        var crc = Crc32C.Append(seed, target[8..SizeBytes]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], crc);
        return crc;
    }

    /// <summary>Reads a head that claims to lie at <paramref name="offset"/>; false if it does not hold.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> source, in LogSegmentHeader segment, uint seed, long offset,
        out LogGroupHeader header, out uint headerCrc)
    {
        header = default;
        headerCrc = 0;
        if (source.Length < SizeBytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic) return false;
        headerCrc = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        if (headerCrc != Crc32C.Append(seed, source[8..SizeBytes])) return false;
        header = new(
            BinaryPrimitives.ReadUInt64LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[40..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[44..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[48..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[56..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[60..]),
            (LogGroupKind)source[64],
            BinaryPrimitives.ReadInt64LittleEndian(source[72..]));
        return header.SegmentId == segment.SegmentId && header.Nonce == segment.Nonce && header.Offset == offset
            && header.BodyLength >= 0 && header.Count >= 0 && header.DurableThrough >= 0 && header.DurableThrough <= offset
            && header.Kind is LogGroupKind.Entries or LogGroupKind.Seal;
    }

    /// <summary>Checksum of a body: over the heads of its entries, which hold the checksums of keys and values.</summary>
    public static uint ComputeBodyCrc(ReadOnlySpan<byte> body, uint seed)
    {
        var crc = seed;
        while (!body.IsEmpty)
        {
            crc = Crc32C.Append(crc, body[..LogEntry.HeaderBytes]);
            body = body[LogEntry.Read(body).SizeBytes..];
        }

        return crc;
    }
}
