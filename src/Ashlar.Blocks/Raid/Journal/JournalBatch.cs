using System.Buffers.Binary;
using System.IO.Hashing;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

// A batch of the journal of a set: one slot of a member. Little-endian; the body is records of stripes, padded with zeros to whole pages.
//
//   0       8         12            16       32      40         48     56      60           64         72        4092     4096
//   +-------+---------+-------------+--------+-------+----------+------+-------+------------+----------+---------+--------+------+
//   | Magic | Version | RecordBytes | Set id | Epoch | Sequence | Tail | Count | BodyLength | BodyHash | zeros   | Crc32C | body |
//   +-------+---------+-------------+--------+-------+----------+------+-------+------------+----------+---------+--------+------+
//
// Magic: "ASHLRJNL". RecordBytes: of the body, without the padding. Epoch: the generation of the set in which it was written; batches of
// others are over. Tail: the oldest batch that may not be in place yet. Crc32C: of the header before it. BodyHash: XXH3 of the body, of 64
// bits. Not a CRC: where power was lost within a batch its slot has a new header before the body of an older one, perhaps of the same
// stripes; and the CRCs of both are the same where all blocks end with CRCs of their own, as those of some databases and file systems do.
// In version 1, of earlier programs, it is a CRC32C, of 4 bytes.
readonly record struct JournalBatch(Guid SetId, long Epoch, long Sequence, long Tail, int Count, int RecordBytes)
{
    public const int HeaderBytes = 4096, Alignment = 4096;

    const uint Version = 2, CrcVersion = 1;
    const int Crc32COffset = HeaderBytes - sizeof(uint);

    static ReadOnlySpan<byte> Magic => "ASHLRJNL"u8;

    public int TotalBytes => HeaderBytes + ((RecordBytes + Alignment - 1) / Alignment * Alignment);

    /// <summary>Puts the header before a body that is in the buffer already; gives what is to be written.</summary>
    public ReadOnlyMemory<byte> Seal(Memory<byte> buffer)
    {
        var batch = buffer[..TotalBytes];
        var header = batch.Span[..HeaderBytes];
        var body = batch.Span[HeaderBytes..];
        body[RecordBytes..].Clear();
        header.Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], (uint)RecordBytes);
        SetId.TryWriteBytes(header[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], Tail);
        BinaryPrimitives.WriteUInt32LittleEndian(header[56..], (uint)Count);
        BinaryPrimitives.WriteUInt32LittleEndian(header[60..], (uint)body.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(header[64..], HashOf(SetId, body));
        BinaryPrimitives.WriteUInt32LittleEndian(header[Crc32COffset..], Crc32C.Compute(header[..Crc32COffset]));
        return batch;
    }

    /// <summary>
    /// Reads a header; null where there is none, or none of this set, or one that is damaged: the batch was not finished.
    /// </summary>
    public static JournalBatch? ReadHeader(ReadOnlySpan<byte> source, Guid setId, long slotBytes)
    {
        var header = source[..HeaderBytes];
        if (!header.StartsWith(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) is not (Version or CrcVersion)) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[Crc32COffset..]) != Crc32C.Compute(header[..Crc32COffset])) return null;
        if (new Guid(header.Slice(16, 16), bigEndian: true) != setId) return null;
        var records = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[60..]);
        if (length > slotBytes - HeaderBytes || records > length) return null;
        var batch = new JournalBatch(
            setId,
            BinaryPrimitives.ReadInt64LittleEndian(header[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[48..]),
            (int)BinaryPrimitives.ReadUInt32LittleEndian(header[56..]),
            (int)records);
        var isPossible = batch.TotalBytes == HeaderBytes + length && batch.Tail > 0 && batch.Tail <= batch.Sequence;
        return isPossible ? batch : null;
    }

    /// <summary>Whether the body that follows a header is the one that it was written with.</summary>
    public static bool IsBodySound(ReadOnlySpan<byte> header, ReadOnlySpan<byte> body) =>
        BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) == CrcVersion
            ? BinaryPrimitives.ReadUInt32LittleEndian(header[64..]) == Crc32C.Compute(body)
            : BinaryPrimitives.ReadUInt64LittleEndian(header[64..]) == HashOf(new Guid(header.Slice(16, 16), bigEndian: true), body);

    // Clients do not know the set's id: so they cannot make content of which two versions have one hash.
    static ulong HashOf(Guid setId, ReadOnlySpan<byte> body)
    {
        Span<byte> id = stackalloc byte[16];
        setId.TryWriteBytes(id, bigEndian: true, out _);
        return XxHash3.HashToUInt64(body, BinaryPrimitives.ReadInt64LittleEndian(id));
    }
}
