using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>A request in the form that is signed.</summary>
static class CanonicalRequest
{
    /// <summary>The text that is hashed.</summary>
    /// <param name="method">The method.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="headers">The headers.</param>
    /// <param name="host">The host, which is signed like a header.</param>
    /// <param name="signedHeaders">Names of what is signed, sorted.</param>
    /// <param name="payloadHash">What stands for the body.</param>
    public static string Format(
        string method, RequestTarget target, IHeaderDictionary headers, string host, IReadOnlyList<string> signedHeaders,
            string payloadHash)
    {
        var text = new StringBuilder(1024);
        text.Append(method).Append('\n');
        text.Append(UriText.Encode(target.Path, keepsSlash: true)).Append('\n');
        AppendQuery(text, target.Query);
        text.Append('\n');
        foreach (var name in signedHeaders)
        {
            text.Append(name).Append(':');
            if (name == "host") text.Append(host);
            else AppendValues(text, headers, name);
            text.Append('\n');
        }

        text.Append('\n').AppendJoin(';', signedHeaders).Append('\n').Append(payloadHash);
        return text.ToString();
    }

    /// <summary>The text that is signed for a canonical request.</summary>
    public static string StringToSign(string time, SignatureScope scope, string canonicalRequest) =>
        $"{SignatureScope.Algorithm}\n{time}\n{scope.Text}\n"
        + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)));

    static void AppendQuery(StringBuilder text, IReadOnlyList<QueryParameter> query)
    {
        var sorted = query
            .Where(parameter => parameter.Name != PresignedQuery.Signature)
            .Select(parameter => (Name: UriText.Encode(parameter.Name), Value: UriText.Encode(parameter.Value)))
            .OrderBy(parameter => parameter.Name, StringComparer.Ordinal)
            .ThenBy(parameter => parameter.Value, StringComparer.Ordinal);
        var isFirst = true;
        foreach (var (name, value) in sorted)
        {
            if (!isFirst) text.Append('&');
            text.Append(name).Append('=').Append(value);
            isFirst = false;
        }
    }

    static void AppendValues(StringBuilder text, IHeaderDictionary headers, string name)
    {
        var values = headers[name];
        for (var i = 0; i < values.Count; i++)
        {
            if (i > 0) text.Append(',');
            AppendCollapsed(text, values[i] ?? "");
        }
    }

    // Without white space at the ends, and one space for several.
    static void AppendCollapsed(StringBuilder text, string value)
    {
        var isFirst = true;
        foreach (var word in value.AsSpan().Split(' '))
        {
            var part = value.AsSpan()[word].Trim('\t');
            if (part.IsEmpty) continue;
            if (!isFirst) text.Append(' ');
            text.Append(part);
            isFirst = false;
        }
    }
}
