using System.Security.Cryptography;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.Server;

/// <summary>The digest that a client announces of a content (RFC 9530), compared with what came before it becomes visible.</summary>
sealed class DigestCheck : IContentCheck, IDisposable
{
    const string Header = "Content-Digest", Prefix = "sha-256=:";

    readonly byte[] expected;
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    DigestCheck(byte[] expected) => this.expected = expected;

    /// <summary>The check that a request asks for; null for none.</summary>
    /// <exception cref="ApiException">It is of another kind, or none.</exception>
    public static DigestCheck? Of(HttpRequest request)
    {
        if (request.Headers[Header] is not [{ } text]) return null;
        var digest = new byte[SHA256.HashSizeInBytes];
        if (text.StartsWith(Prefix, StringComparison.Ordinal)
            && text.EndsWith(':')
            && text.Length > Prefix.Length
            && Convert.TryFromBase64String(text[Prefix.Length..^1], digest, out var length)
            && length == digest.Length)
            return new(digest);
        throw new ApiException(ProblemKind.InvalidRequest, $"'{text}' is not a digest that is taken: sha-256=:BASE64:");
    }

    public void Append(ReadOnlySpan<byte> content) => hash.AppendData(content);

    public ContentVerdict Finish()
    {
        var found = hash.GetHashAndReset();
        if (!CryptographicOperations.FixedTimeEquals(found, expected))
        {
            throw new ApiException(
                ProblemKind.ContentDiffers,
                $"the SHA-256 of what came is {Convert.ToHexStringLower(found)}, and {Convert.ToHexStringLower(expected)} was announced");
        }

        return new(null, FileProperties.Of([new(FileProperties.Sha256, Convert.ToHexStringLower(found))]));
    }

    public void Dispose() => hash.Dispose();
}
