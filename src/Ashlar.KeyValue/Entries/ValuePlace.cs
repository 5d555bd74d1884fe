using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Entries;

// Where a separated value lies, 20 bytes, little-endian: what an entry of kind 3 stores, and one of kind 5 behind its expiry.
//   0           8        12            16         20
//   +-----------+--------+-------------+----------+
//   | SegmentId | Offset | LengthBytes | ValueCrc |   Offset is that of the value's first byte in its segment.
//   +-----------+--------+-------------+----------+
// ValueCrc repeats that of the log entry, which begins with the expiry if there is one: a stale or misdirected read is noticed.
readonly record struct ValuePlace(ulong SegmentId, long Offset, int LengthBytes, uint ValueCrc)
{
    public const int EncodedBytes = 20;

    /// <summary>What an entry with a place stores at most: an expiry ahead of it.</summary>
    public const int MaxStoredBytes = Expiry.SizeBytes + EncodedBytes;

    /// <summary>Checksum of what lies ahead of the value and belongs to its checksum; not stored.</summary>
    public uint CrcSeed { get; private init; }

    /// <summary>Reads the place from what an entry stores.</summary>
    public static ValuePlace Read(EntryKind kind, ReadOnlySpan<byte> stored)
    {
        var encoded = stored[^EncodedBytes..];
        var length = BinaryPrimitives.ReadInt32LittleEndian(encoded[12..]);
        // Blocks are checked when they are loaded.
        Invariant.Require(kind.HasPlace() && length is >= 0 and <= KeyValueOptions.ValueLimitBytes);
        return new ValuePlace(
            BinaryPrimitives.ReadUInt64LittleEndian(encoded),
            BinaryPrimitives.ReadUInt32LittleEndian(encoded[8..]),
            length,
            BinaryPrimitives.ReadUInt32LittleEndian(encoded[16..])).Behind(stored[..^EncodedBytes]);
    }

    /// <summary>The place of a value with an expiry ahead of it; the same place where there is none.</summary>
    public ValuePlace Behind(ReadOnlySpan<byte> expiry) => expiry.IsEmpty ? this : this with { CrcSeed = Crc32C.Compute(expiry) };

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, SegmentId);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], checked((uint)Offset));
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], LengthBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[16..], ValueCrc);
    }
}
