using System.Security.Cryptography;
using System.Text;

namespace Ashlar.S3;

/// <summary>The chain of signatures of a body in chunks: each covers the one before it, the first that of the request.</summary>
sealed class ChunkSignatures(SigningKey key, SignatureScope scope, string time, string seed)
{
    static readonly string EmptyHash = Convert.ToHexStringLower(SHA256.HashData([]));

    string previous = seed;

    /// <summary>Whether a chunk is the next.</summary>
    public bool TryNext(ReadOnlySpan<byte> content, string signature)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        return TryNext($"AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{scope.Text}\n{previous}\n{EmptyHash}\n{hash}", signature);
    }

    /// <summary>Whether a trailer, in its canonical form, is the next.</summary>
    public bool TryTrailer(string trailer, string signature)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(trailer)));
        return TryNext($"AWS4-HMAC-SHA256-TRAILER\n{time}\n{scope.Text}\n{previous}\n{hash}", signature);
    }

    bool TryNext(string text, string signature)
    {
        if (!key.Verify(text, signature)) return false;
        previous = signature;
        return true;
    }
}
