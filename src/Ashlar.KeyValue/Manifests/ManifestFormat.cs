using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Manifests;

// Manifest, format version 1. Little-endian. Head:
//   0         8         12    16        32
//   +---------+---------+-----+---------+   Crc covers bytes 0..12 and 16..32. Records follow.
//   | Magic   | Version | Crc | StoreId |
//   +---------+---------+-----+---------+
readonly record struct ManifestHeader(Guid StoreId)
{
    public const int SizeBytes = 32;
    public const uint Version = 1;
    const ulong Magic = 0x4E414D524C485341; // "ASHLRMAN"

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Version);
        StoreId.TryWriteBytes(target[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Checksum(target));
    }

    public static ManifestHeader Read(ReadOnlySpan<byte> source, string path)
    {
        if (source.Length < SizeBytes) throw new CorruptDataException(path, 0, "the manifest is shorter than its head");
        if (BinaryPrimitives.ReadUInt64LittleEndian(source) != Magic)
            throw new UnsupportedFormatException(path, "this is not the manifest of a key-value store");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) != Checksum(source))
            throw new CorruptDataException(path, 0, "the head of the manifest does not hold");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != Version)
            throw new UnsupportedFormatException(
                path, $"manifest format version {version}; this program reads version {Version}");
        return new(new Guid(source.Slice(16, 16), bigEndian: true));
    }

    static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Compute(bytes[..12]), bytes[16..SizeBytes]);
}

// Head of a manifest record; the payload (see ManifestEdit) follows.
//   0       4           8        16       24       28           32
//   +-------+-----------+--------+--------+--------+------------+   HeaderCrc covers bytes 8..32, PayloadCrc the payload;
//   | Magic | HeaderCrc | Number | Offset | Length | PayloadCrc |   both start from the checksum of the store's identity.
//   +-------+-----------+--------+--------+--------+------------+
// Number counts records from 1 without a gap. Offset is the record's own place.
readonly record struct ManifestRecordHeader(ulong Number, long Offset, int Length, uint PayloadCrc)
{
    public const int SizeBytes = 32;
    public const uint Magic = 0x54494445; // "EDIT"

    public static uint Seed(Guid storeId) => Crc32C.Compute(storeId.ToByteArray(bigEndian: true));

    public void Write(Span<byte> target, uint seed)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(target[24..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[28..], PayloadCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Crc32C.Append(seed, target[8..SizeBytes]));
    }

    public static bool TryRead(ReadOnlySpan<byte> source, long offset, uint seed, out ManifestRecordHeader header)
    {
        header = default;
        if (source.Length < SizeBytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) != Crc32C.Append(seed, source[8..SizeBytes])) return false;
        header = new(
            BinaryPrimitives.ReadUInt64LittleEndian(source[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[28..]));
        return header.Offset == offset && header.Length >= 0;
    }
}
