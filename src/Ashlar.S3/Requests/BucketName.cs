using System.Net;

namespace Ashlar.S3;

/// <summary>Names that S3 has for buckets.</summary>
static class BucketName
{
    const int MinLength = 3, MaxLength = 63;

    static readonly string[] ReservedBeginnings = ["xn--", "sthree-", "amzn-s3-demo-"], ReservedEnds = ["-s3alias", "--ol-s3", ".mrap",
        "--x-s3"];

    /// <summary>Whether a bucket can be called so.</summary>
    public static bool IsValid(string name) =>
        name.Length is >= MinLength and <= MaxLength
        && IsAlphanumeric(name[0])
        && IsAlphanumeric(name[^1])
        && name.All(letter => IsAlphanumeric(letter) || letter is '-' or '.')
        && !name.Contains("..", StringComparison.Ordinal)
        && !name.Contains(".-", StringComparison.Ordinal)
        && !name.Contains("-.", StringComparison.Ordinal)
        && !IsAddress(name)
        && !Array.Exists(ReservedBeginnings, beginning => name.StartsWith(beginning, StringComparison.Ordinal))
        && !Array.Exists(ReservedEnds, end => name.EndsWith(end, StringComparison.Ordinal));

    static bool IsAlphanumeric(char letter) => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter);

    static bool IsAddress(string name) => name.Split('.').Length == 4 && IPAddress.TryParse(name, out _);
}
