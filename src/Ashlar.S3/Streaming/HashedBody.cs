using System.Security.Cryptography;

namespace Ashlar.S3;

/// <summary>A body whose hash was signed. Its end is only told when that is right, so what reads to the end has what was signed.</summary>
sealed class HashedBody(Stream source, string expectedHash) : ReadOnlyStream
{
    readonly byte[] expected = Convert.FromHexString(expectedHash);
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    bool hasEnded;

    public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (hasEnded || destination.IsEmpty) return 0;
        var read = await source.ReadAsync(destination, cancellationToken);
        if (read > 0)
        {
            hash.AppendData(destination.Span[..read]);
            return read;
        }

        if (!CryptographicOperations.FixedTimeEquals(hash.GetCurrentHash(), expected)) throw S3Error.ContentSha256Mismatch.Exception();
        hasEnded = true;
        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) hash.Dispose();
        base.Dispose(disposing);
    }
}
