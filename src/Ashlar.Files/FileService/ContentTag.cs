using System.Security.Cryptography;

namespace Ashlar.Files;

/// <summary>
/// Entity tags that a client can compute: the SHA-256 of the content, or of a file of several blocks that of their hashes one after the
/// other, with their number.
/// </summary>
static class ContentTag
{
    public static string Of(ReadOnlySpan<byte> content) => ContentHash.Of(content).ToString();

    public static string Of(IReadOnlyList<FileBlock> blocks)
    {
        if (blocks.Count == 1) return blocks[0].Name.Hash.ToString();
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> hash = stackalloc byte[ContentHash.SizeBytes];
        foreach (var block in blocks)
        {
            block.Name.Hash.CopyTo(hash);
            all.AppendData(hash);
        }

        return $"{Convert.ToHexStringLower(all.GetHashAndReset())}-{blocks.Count}";
    }
}
