using System.Text;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>Listings of objects, in the three forms that S3 has.</summary>
sealed class ListOperations(S3Services services)
{
    const int MaxKeys = 1000;

    public async Task ListAsync(S3Request request)
    {
        var marker = request.Query("marker");
        var (listing, encodes) = Read(request, string.IsNullOrEmpty(marker) ? null : new ListToken(marker, false));
        var page = await ListAsync(request, listing);
        using var answer = Begin("ListBucketResult", request, listing, page, encodes);
        answer.Key("Marker", marker ?? "");
        if (page.Next is { } next && listing.Delimiter.Length > 0) answer.Key("NextMarker", next.Name);
        WriteObjects(answer, page, request.Caller.OwnerId);
        await answer.SendAsync(request.Http);
    }

    public async Task ListV2Async(S3Request request)
    {
        if (request.Query("list-type") != "2") throw S3Error.InvalidArgument.Because("list-type has to be 2.");
        var (token, start) = (request.Query("continuation-token"), request.Query("start-after"));
        if (token is "") throw S3Error.InvalidArgument.Because("The continuation token is empty.");
        var after = token is not null ? ListToken.Parse(token) : string.IsNullOrEmpty(start)
            ? (ListToken?)null : new ListToken(start, false);
        var (listing, encodes) = Read(request, after);
        var page = await ListAsync(request, listing);
        using var answer = Begin("ListBucketResult", request, listing, page, encodes);
        answer.Text("KeyCount", page.Names.Count).Text("ContinuationToken", token).Text("NextContinuationToken", page.Next?.ToString());
        if (start is not null) answer.Key("StartAfter", start);
        WriteObjects(answer, page, request.Query("fetch-owner") == "true" ? request.Caller.OwnerId : null);
        await answer.SendAsync(request.Http);
    }

    public async Task ListVersionsAsync(S3Request request)
    {
        var (marker, version) = (request.Query("key-marker"), request.Query("version-id-marker"));
        if (!string.IsNullOrEmpty(version) && string.IsNullOrEmpty(marker))
            throw S3Error.InvalidArgument.Because("version-id-marker needs key-marker.");
        var (listing, encodes) = Read(request, string.IsNullOrEmpty(marker) ? null : new ListToken(marker, false));
        var page = await ListAsync(request, listing);
        using var answer = Begin("ListVersionsResult", request, listing, page, encodes);
        answer.Key("KeyMarker", marker ?? "").Text("VersionIdMarker", version ?? "");
        if (page.Next is { } next)
        {
            answer.Key("NextKeyMarker", next.Name);
            if (!next.IsPrefix) answer.Text("NextVersionIdMarker", ObjectVersions.Only);
        }

        foreach (var line in page.Names)
        {
            if (line.Entry is not { } entry) continue;
            answer.Begin("Version").Key("Key", line.Name).Text("VersionId", ObjectVersions.Only).Text("IsLatest", true);
            WriteObject(answer, entry).Owner(request.Caller.OwnerId).End("Version");
        }

        WritePrefixes(answer, page);
        await answer.SendAsync(request.Http);
    }

    Task<ObjectPage> ListAsync(S3Request request, ObjectListing listing) =>
        new ObjectLister(services.Metadata, request.Customer).ListAsync(listing, request.Cancelled);

    static (ObjectListing Listing, bool Encodes) Read(S3Request request, ListToken? after)
    {
        // No key has one, and no answer could say what was asked for.
        if (request.Target.Query.Any(parameter => parameter.Value.Contains('\0', StringComparison.Ordinal)))
            throw S3Error.InvalidArgument.Because("A parameter has a NUL.");
        var limit = Numbers.Parse(request.Query("max-keys"), "max-keys", 0, MaxKeys) ?? MaxKeys;
        return (new(request.Bucket!, request.Query("prefix") ?? "", request.Query("delimiter") ?? "", after, limit), EncodesKeys(request));
    }

    public static bool EncodesKeys(S3Request request) => request.Query("encoding-type") switch
    {
        null => false,
        "url" => true,
        _ => throw S3Error.InvalidArgument.Because("encoding-type has to be url."),
    };

    static XmlAnswer Begin(string root, S3Request request, ObjectListing listing, ObjectPage page, bool encodes)
    {
        var answer = new XmlAnswer(root, encodes);
        answer.Text("Name", request.Bucket).Key("Prefix", listing.Prefix).Text("MaxKeys", listing.Limit);
        if (listing.Delimiter.Length > 0) answer.Key("Delimiter", listing.Delimiter);
        if (encodes) answer.Text("EncodingType", "url");
        return answer.Text("IsTruncated", page.IsTruncated);
    }

    static void WriteObjects(XmlAnswer answer, ObjectPage page, string? owner)
    {
        foreach (var line in page.Names)
        {
            if (line.Entry is not { } entry) continue;
            WriteObject(answer.Begin("Contents").Key("Key", line.Name), entry);
            if (owner is not null) answer.Owner(owner);
            answer.End("Contents");
        }

        WritePrefixes(answer, page);
    }

    static XmlAnswer WriteObject(XmlAnswer answer, NamespaceEntry entry) => answer
        .Time("LastModified", entry.UpdatedAt)
        .Tag(ObjectVersions.TagOf(entry))
        .Text("Size", entry.SizeBytes)
        .Text("StorageClass", "STANDARD");

    static void WritePrefixes(XmlAnswer answer, ObjectPage page)
    {
        foreach (var line in page.Names)
        {
            if (line.IsPrefix) answer.Begin("CommonPrefixes").Key("Prefix", line.Name).End("CommonPrefixes");
        }
    }
}
