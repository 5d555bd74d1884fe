using System.Text;

namespace Ashlar.S3;

/// <summary>A parameter of the query, decoded.</summary>
readonly record struct QueryParameter(string Name, string Value);

/// <summary>
/// The target of a request as it was sent. The path that the web server offers is normalised, which changes keys and breaks signatures.
/// </summary>
sealed class RequestTarget
{
    const int MaxParameters = 200;

    static readonly UTF8Encoding Strict = new(false, true);

    RequestTarget(string path, IReadOnlyList<QueryParameter> query) => (Path, Query) = (path, query);

    /// <summary>The path, decoded; begins with a slash.</summary>
    public string Path { get; }

    /// <summary>The query, in its order.</summary>
    public IReadOnlyList<QueryParameter> Query { get; }

    /// <summary>Reads a target.</summary>
    /// <exception cref="S3Exception">It is none.</exception>
    public static RequestTarget Parse(string raw)
    {
        var rest = raw.AsSpan();
        if (rest.IsEmpty || rest[0] != '/') rest = BehindAuthority(rest);
        var mark = rest.IndexOf('?');
        var path = mark < 0 ? rest : rest[..mark];
        var query = new List<QueryParameter>();
        if (mark >= 0)
        {
            foreach (var part in rest[(mark + 1)..].Split('&'))
            {
                var parameter = rest[(mark + 1)..][part];
                if (parameter.IsEmpty) continue;
                if (query.Count == MaxParameters) throw S3Error.InvalidUri.Because("The query has too many parameters.");
                var equals = parameter.IndexOf('=');
                var name = equals < 0 ? parameter : parameter[..equals];
                query.Add(new(Decode(name, true), equals < 0 ? "" : Decode(parameter[(equals + 1)..], true)));
            }
        }

        return new(Decode(path, false), query);
    }

    /// <summary>The first value of a parameter; null if it is not there.</summary>
    public string? Find(string name)
    {
        foreach (var parameter in Query)
        {
            if (parameter.Name == name) return parameter.Value;
        }

        return null;
    }

    // The absolute form, as proxies are asked.
    static ReadOnlySpan<char> BehindAuthority(ReadOnlySpan<char> target)
    {
        foreach (var scheme in (ReadOnlySpan<string>)["http://", "https://"])
        {
            if (!target.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) continue;
            var slash = target[scheme.Length..].IndexOf('/');
            return slash < 0 ? "/" : target[(scheme.Length + slash)..];
        }

        throw S3Error.InvalidUri.Exception();
    }

    static string Decode(ReadOnlySpan<char> text, bool plusIsSpace)
    {
        var bytes = UriText.Decode(text, plusIsSpace) ?? throw S3Error.InvalidUri.Because("A percent sign is not followed by two digits.");
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw S3Error.InvalidUri.Because("The target is not UTF-8.");
        }
    }
}
