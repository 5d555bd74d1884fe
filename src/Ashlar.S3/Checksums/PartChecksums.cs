using System.Buffers.Binary;

namespace Ashlar.S3;

/// <summary>The checksum of an upload in parts, of those of its parts.</summary>
static class PartChecksums
{
    /// <summary>The value as it is sent; that of a composite says of how many parts.</summary>
    public static string Combine(ChecksumAlgorithm algorithm, ChecksumType type, IReadOnlyList<(byte[] Checksum, long SizeBytes)> parts)
    {
        if (type == ChecksumType.Composite)
        {
            using var all = new RunningChecksum(algorithm);
            foreach (var part in parts) all.Append(part.Checksum);
            return $"{Convert.ToBase64String(all.Finish())}-{parts.Count}";
        }

        var crc = algorithm switch
        {
            ChecksumAlgorithm.Crc32 => ReflectedCrc.Crc32,
            ChecksumAlgorithm.Crc32C => ReflectedCrc.Crc32C,
            _ => ReflectedCrc.Crc64Nvme,
        };
        var combined = 0UL;
        foreach (var part in parts) combined = crc.Combine(combined, Read(part.Checksum), part.SizeBytes);
        var bytes = new byte[algorithm.SizeOf()];
        if (bytes.Length == sizeof(ulong)) BinaryPrimitives.WriteUInt64BigEndian(bytes, combined);
        else BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)combined);
        return Convert.ToBase64String(bytes);
    }

    static ulong Read(byte[] checksum) => checksum.Length == sizeof(ulong)
        ? BinaryPrimitives.ReadUInt64BigEndian(checksum)
        : BinaryPrimitives.ReadUInt32BigEndian(checksum);
}
