using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>
/// Headers x-amz-* that whoever presigned a request put into its query. They are signed as the rest of it, and mean what the header would.
/// </summary>
static class HoistedHeaders
{
    const string Beginning = "x-amz-";

    static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    static readonly Dictionary<string, string> None = [];

    /// <summary>Those of a target; none where it is not presigned.</summary>
    /// <exception cref="S3Exception">One is there twice, or could be no header.</exception>
    public static IReadOnlyDictionary<string, string> Of(RequestTarget target, IHeaderDictionary headers)
    {
        if (!PresignedQuery.IsIn(target)) return None;
        Dictionary<string, string>? found = null;
        foreach (var (name, value) in target.Query)
        {
            if (!IsOne(name) || IsOfNoBody(name, value)) continue;
            if (name.AsSpan().ContainsAnyExcept(TokenCharacters) || value.Any(char.IsControl))
                throw S3Error.InvalidArgument.Because("A parameter x-amz-* has characters that headers have not.");
            found ??= new(StringComparer.OrdinalIgnoreCase);
            if (headers.ContainsKey(name) || !found.TryAdd(name, value)) throw S3Error.InvalidArgument.Because($"{name} is there twice.");
        }

        return found ?? None;
    }

    /// <summary>Whether a parameter is such a header, and none of the signature itself.</summary>
    static bool IsOne(string parameter) =>
        parameter.StartsWith(Beginning, StringComparison.OrdinalIgnoreCase) && !PresignedQuery.IsOwn(parameter);

    // The SDK for JavaScript signs before it has a body, and adds the CRC32 of none to whatever is to be sent.
    static bool IsOfNoBody(string name, string value) =>
        value == "AAAAAA==" && name.Equals(ChecksumAlgorithm.Crc32.HeaderOf(), StringComparison.OrdinalIgnoreCase);
}
