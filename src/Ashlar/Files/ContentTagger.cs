using System.Globalization;
using System.Security.Cryptography;

namespace Ashlar.CommandLine;

/// <summary>
/// Computes what the server calls a content by, while it passes: its SHA-256, or of more than one block of 64 MiB that of the blocks'
/// SHA-256 one after the other, and their number.
/// </summary>
sealed class ContentTagger : IDisposable
{
    const long BlockBytes = 64L << 20;

    readonly IncrementalHash block = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly IncrementalHash all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    byte[]? last;
    long inBlock;
    int blocks;

    /// <summary>Bytes that passed.</summary>
    public long LengthBytes { get; private set; }

    public void Append(ReadOnlySpan<byte> content)
    {
        LengthBytes += content.Length;
        while (!content.IsEmpty)
        {
            if (inBlock == BlockBytes) EndBlock();
            var taken = (int)Math.Min(content.Length, BlockBytes - inBlock);
            block.AppendData(content[..taken]);
            inBlock += taken;
            content = content[taken..];
        }
    }

    /// <summary>The tag of all that passed.</summary>
    public string Finish()
    {
        if (inBlock > 0 || blocks == 0) EndBlock();
        return blocks == 1
            ? Convert.ToHexStringLower(last!)
            : string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(all.GetHashAndReset())}-{blocks}");
    }

    /// <summary>Whether a tag is of another content. One of another kind, as S3 gives them, tells nothing.</summary>
    public static bool Differ(string found, string? tag) =>
        tag is not null && tag.Length == found.Length && tag[Hash..] == found[Hash..] && tag != found;

    public void Dispose()
    {
        block.Dispose();
        all.Dispose();
    }

    const int Hash = 64;

    void EndBlock()
    {
        last = block.GetHashAndReset();
        all.AppendData(last);
        blocks++;
        inBlock = 0;
    }
}
