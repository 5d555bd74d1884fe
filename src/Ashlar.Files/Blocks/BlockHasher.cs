using System.Security.Cryptography;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>Takes the content of a block as it comes and says what it is known by. One caller at a time.</summary>
public sealed class BlockHasher : IDisposable
{
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly List<uint> checksums = [];
    uint checksum;

    /// <summary>Bytes so far.</summary>
    public int LengthBytes { get; private set; }

    /// <summary>Takes what comes next.</summary>
    /// <exception cref="ArgumentException">It would be more than a block may have.</exception>
    public void Append(ReadOnlySpan<byte> content)
    {
        if (content.Length > BlockGeometry.MaxLengthBytes - LengthBytes)
            throw new ArgumentException(
                $"A block has at most {BlockGeometry.MaxLengthBytes} bytes, and {LengthBytes} are there.", nameof(content));
        while (!content.IsEmpty)
        {
            // Unit by unit, so that the second checksum finds the bytes in the processor's cache.
            var part = content[..Math.Min(content.Length, BlockGeometry.UnitBytes - (LengthBytes % BlockGeometry.UnitBytes))];
            hash.AppendData(part);
            checksum = Crc32C.Append(checksum, part);
            LengthBytes += part.Length;
            content = content[part.Length..];
            if (LengthBytes % BlockGeometry.UnitBytes == 0) EndUnit();
        }
    }

    /// <summary>What all of it is known by; the next block begins.</summary>
    public BlockDigest Finish()
    {
        if (LengthBytes % BlockGeometry.UnitBytes != 0) EndUnit();
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(bytes);
        var digest = new BlockDigest(new ContentHash(bytes), LengthBytes, [.. checksums]);
        checksums.Clear();
        LengthBytes = 0;
        return digest;
    }

    /// <inheritdoc />
    public void Dispose() => hash.Dispose();

    void EndUnit()
    {
        checksums.Add(checksum);
        checksum = 0;
    }
}
