using System.Globalization;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>The headers that show an object.</summary>
static class ObjectAnswer
{
    static readonly (string Parameter, string Header)[] Overrides =
    [
        ("response-cache-control", "Cache-Control"), ("response-content-disposition", "Content-Disposition"),
        ("response-content-encoding", "Content-Encoding"), ("response-content-language", "Content-Language"),
        ("response-content-type", "Content-Type"), ("response-expires", "Expires"),
    ];

    public static void WriteValidators(HttpResponse response, NamespaceEntry entry)
    {
        response.Headers.ETag = $"\"{ObjectVersions.TagOf(entry)}\"";
        response.Headers.LastModified = Conditions.ToSeconds(entry.UpdatedAt).ToString("r", CultureInfo.InvariantCulture);
    }

    public static void Write(S3Request request, NamespaceEntry entry, FileProperties properties)
    {
        var response = request.Response;
        WriteValidators(response, entry);
        response.Headers.AcceptRanges = "bytes";
        response.ContentType = ObjectProperties.DefaultContentType;
        var missing = 0;
        foreach (var (name, value) in properties)
        {
            if (name == Tagging.Property)
                response.Headers["x-amz-tagging-count"] = Tagging.Read(value).Count.ToString(CultureInfo.InvariantCulture);
            else if (!ObjectProperties.IsUserOrContent(name)) continue;
            else if (IsHeader(name, value)) response.Headers[name] = value;
            else missing++;
        }

        // Other doors may have put there what no header can carry.
        if (missing > 0) response.Headers["x-amz-missing-meta"] = missing.ToString(CultureInfo.InvariantCulture);
        foreach (var (parameter, header) in Overrides)
        {
            if (request.Query(parameter) is not { } value) continue;
            if (request.Caller.IsAnonymous) throw S3Error.InvalidRequest.Because($"{parameter} needs a signed request.");
            if (!IsHeader(header, value)) throw S3Error.InvalidArgument.Because($"{parameter} has characters that headers have not.");
            response.Headers[header] = value;
        }
    }

    /// <summary>Shows the checksum, if it was asked for.</summary>
    public static void WriteChecksum(S3Request request, FileProperties properties)
    {
        if (!"ENABLED".Equals(request.Header(ChecksumNames.ModeHeader), StringComparison.OrdinalIgnoreCase)) return;
        WriteChecksum(request.Response, properties);
    }

    public static void WriteChecksum(HttpResponse response, FileProperties properties)
    {
        foreach (var (name, value) in properties)
        {
            if (ObjectProperties.IsChecksum(name)) response.Headers[name] = value;
        }
    }

    static bool IsHeader(string name, string value) =>
        ObjectProperties.IsToken(name) && !value.Any(char.IsControl);
}
