using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>The names of headers that a signature covers.</summary>
static class SignedHeaderList
{
    const string Own = "x-amz-";

    /// <summary>Reads a list: in lower case, sorted, none twice; null for what is none.</summary>
    public static string[]? Parse(string text)
    {
        var names = text.Split(';');
        for (var i = 0; i < names.Length; i++)
        {
            if (names[i].Length == 0 || names[i].Any(letter => letter is <= ' ' or >= '\x7f' or ':' || char.IsAsciiLetterUpper(letter)))
                return null;
            if (i > 0 && string.CompareOrdinal(names[i - 1], names[i]) >= 0) return null;
        }

        return names;
    }

    /// <summary>The first header that has to be signed and is not; null if there is none. Whoever passes a signed request on
    /// adds nothing.</summary>
    public static string? FindMissing(IReadOnlyList<string> signed, IHeaderDictionary headers)
    {
        if (!signed.Contains("host", StringComparer.Ordinal)) return "host";
        foreach (var name in headers.Keys)
        {
            if (name.StartsWith(Own, StringComparison.OrdinalIgnoreCase) && !signed.Contains(name, StringComparer.OrdinalIgnoreCase))
                return name.ToLowerInvariant();
        }

        return null;
    }
}
