using System.Security.Cryptography;

namespace Ashlar.Files;

/// <summary>Takes the content of a block as it comes and says what it is known by. One caller at a time.</summary>
public sealed class BlockHasher : IDisposable
{
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly UnitChecksums checksums = new();

    /// <summary>Bytes so far.</summary>
    public int LengthBytes => checksums.LengthBytes;

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
            var part = content[..Math.Min(content.Length, checksums.LeftOfUnit)];
            hash.AppendData(part);
            checksums.Append(part);
            content = content[part.Length..];
        }
    }

    /// <summary>What all of it is known by; the next block begins.</summary>
    public BlockDigest Finish()
    {
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(bytes);
        var length = LengthBytes;
        return new BlockDigest(new ContentHash(bytes), length, checksums.Finish());
    }

    /// <inheritdoc />
    public void Dispose() => hash.Dispose();
}
