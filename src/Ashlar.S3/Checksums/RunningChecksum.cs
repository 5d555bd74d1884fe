using System.Buffers.Binary;
using System.Security.Cryptography;
using Ashlar.Storage;

namespace Ashlar.S3;

/// <summary>A checksum of content as it comes.</summary>
sealed class RunningChecksum(ChecksumAlgorithm algorithm) : IDisposable
{
    readonly IncrementalHash? hash = algorithm switch
    {
        ChecksumAlgorithm.Sha256 => IncrementalHash.CreateHash(HashAlgorithmName.SHA256),
#pragma warning disable CA5350 // Clients choose it, as a checksum.
        ChecksumAlgorithm.Sha1 => IncrementalHash.CreateHash(HashAlgorithmName.SHA1),
#pragma warning restore CA5350
        _ => null,
    };

    ulong checksum;

    public ChecksumAlgorithm Algorithm { get; } = algorithm;

    public static byte[] Of(ChecksumAlgorithm algorithm, ReadOnlySpan<byte> content)
    {
        using var running = new RunningChecksum(algorithm);
        running.Append(content);
        return running.Finish();
    }

    public void Append(ReadOnlySpan<byte> content)
    {
        if (hash is not null)
        {
            hash.AppendData(content);
            return;
        }

        checksum = Algorithm switch
        {
            ChecksumAlgorithm.Crc32C => Crc32C.Append((uint)checksum, content),
            ChecksumAlgorithm.Crc32 => ReflectedCrc.Crc32.Append(checksum, content),
            _ => ReflectedCrc.Crc64Nvme.Append(checksum, content),
        };
    }

    /// <summary>The checksum, in the order of bytes in which it is sent.</summary>
    public byte[] Finish()
    {
        if (hash is not null) return hash.GetHashAndReset();
        var bytes = new byte[Algorithm.SizeOf()];
        if (bytes.Length == sizeof(ulong)) BinaryPrimitives.WriteUInt64BigEndian(bytes, checksum);
        else BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)checksum);
        return bytes;
    }

    public void Dispose() => hash?.Dispose();
}
