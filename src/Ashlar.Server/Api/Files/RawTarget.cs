using System.Globalization;
using System.Text;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ashlar.Server;

/// <summary>
/// The path of a request as it was sent. The web server takes <c>a/../b</c> for <c>b</c>, and two encodings for one; a name of a file is
/// its bytes.
/// </summary>
static class RawTarget
{
    // /v1/customers/NAME/files: the path of a file begins at the fifth slash.
    const int SlashesBeforeFile = 4;

    /// <summary>It, without the query, still encoded.</summary>
    public static string PathOf(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (target.IndexOf('?') is >= 0 and var query) target = target[..query];
        // A proxy's form: http://host/path.
        if (!target.StartsWith('/') && target.IndexOf("://", StringComparison.Ordinal) is > 0 and var scheme)
            target = target.IndexOf('/', scheme + 3) is >= 0 and var slash ? target[slash..] : "/";
        return target;
    }

    /// <summary>The file or directory that a request is about.</summary>
    /// <exception cref="ApiException">It is none that there can be.</exception>
    public static FilePath FileOf(HttpContext context)
    {
        var path = PathOf(context);
        var at = 0;
        for (var slashes = 0; slashes < SlashesBeforeFile && at >= 0; slashes++) at = path.IndexOf('/', at + 1);
        return at < 0 || at == path.Length - 1 ? FilePath.Root : Parse(Decode(path.AsSpan(at)));
    }

    /// <summary>A path that stands in the body of a request.</summary>
    /// <exception cref="ApiException">It is none that there can be.</exception>
    public static FilePath Parse(string text) => Checked(() => FilePath.Parse(text));

    /// <summary>Undoes the encoding of a part of a path.</summary>
    /// <exception cref="ApiException">It is no encoding, or has a slash within a name.</exception>
    public static byte[] Decode(ReadOnlySpan<char> text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                bytes.Add(text[i] <= 0x7F ? (byte)text[i] : throw Invalid("it has a character that is not encoded"));
                continue;
            }

            if (i + 2 >= text.Length
                || !byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
                throw Invalid("a percent sign is not followed by two hexadecimal digits");
            if (value == (byte)'/') throw Invalid("a slash within a name");
            bytes.Add(value);
            i += 2;
        }

        return [.. bytes];
    }

    /// <summary>A path as it stands in an address.</summary>
    public static string Encode(FilePath path)
    {
        var text = new StringBuilder("/");
        foreach (var value in path.Bytes.Span)
        {
            var character = (char)value;
            if (char.IsAsciiLetterOrDigit(character) || character is '/' or '-' or '.' or '_' or '~') text.Append(character);
            else text.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
        }

        return text.ToString();
    }

    static FilePath Parse(byte[] utf8) => Checked(() => FilePath.Parse(utf8));

    static FilePath Checked(Func<FilePath> parse)
    {
        try
        {
            return parse();
        }
        catch (InvalidPathException e)
        {
            throw new ApiException(ProblemKind.InvalidPath, e.Message);
        }
    }

    static ApiException Invalid(string problem) => new(ProblemKind.InvalidPath, $"Not a path: {problem}");
}
