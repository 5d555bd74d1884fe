using System.Security.Cryptography;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>
/// Sees content on its way to the store: makes the entity tag that S3 has, and compares what was expected, before anything is visible.
/// </summary>
sealed class ContentCheck : IContentCheck, IDisposable
{
#pragma warning disable CA5351 // The entity tag is one, whatever it is worth.
    readonly IncrementalHash md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
    readonly ContentExpectation expected;
    readonly RunningChecksum? checksum;

    /// <param name="expected">What was said.</param>
    /// <param name="algorithm">What is reckoned if no checksum was said.</param>
    public ContentCheck(ContentExpectation expected, ChecksumAlgorithm? algorithm = null)
    {
        this.expected = expected;
        if ((expected.Algorithm ?? algorithm) is { } one) checksum = new(one);
    }

    /// <summary>The header that has it.</summary>
    public string? ChecksumName => checksum?.Algorithm.HeaderOf();

    /// <summary>The checksum as it is sent, once all is there.</summary>
    public string? Checksum { get; private set; }

    public void Append(ReadOnlySpan<byte> content)
    {
        md5.AppendData(content);
        checksum?.Append(content);
    }

    public ContentVerdict Finish()
    {
        var tag = md5.GetHashAndReset();
        if (expected.Md5 is { } wanted && !tag.AsSpan().SequenceEqual(wanted))
            throw S3Error.BadDigest.Because("The content is not what Content-MD5 says.");
        if (checksum is null) return new(Convert.ToHexStringLower(tag), FileProperties.Empty);
        var sum = checksum.Finish();
        var name = checksum.Algorithm.HeaderOf();
        var said = expected.Checksum;
        if (said is null && expected.Trailer?.Find(name) is { } text)
            said = checksum.Algorithm.Decode(text) ?? throw S3Error.InvalidRequest.Because($"The value of {name} is not valid.");
        if (said is not null && !sum.AsSpan().SequenceEqual(said)) throw S3Error.BadDigest.Because($"The content is not what {name} says.");
        Checksum = Convert.ToBase64String(sum);
        return new(
            Convert.ToHexStringLower(tag),
            FileProperties.Of([new(name, Checksum), new(ChecksumNames.TypeHeader, ChecksumType.FullObject.NameOf())]));
    }

    public void Dispose()
    {
        md5.Dispose();
        checksum?.Dispose();
    }
}
