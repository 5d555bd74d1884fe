using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>
/// All that is served, in one table. What it does not have is refused: a subresource that is not known never gets the answer of its
/// bucket or object.
/// </summary>
static class RouteTable
{
    const string CopySource = "x-amz-copy-source";

    static readonly string[] ListParameters = ["prefix", "delimiter", "max-keys", "encoding-type"];

    static readonly string[] Overrides =
    [
        "response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
        "response-content-type", "response-expires",
    ];

    // Asked for by clients that want to know all of a bucket; each has an answer that says that there is none.
    static readonly string[] Configurations =
    [
        "accelerate", "analytics", "encryption", "intelligent-tiering", "inventory", "lifecycle", "logging", "metrics", "notification",
        "object-lock", "ownershipControls", "publicAccessBlock", "replication", "requestPayment", "website",
    ];

    // Of objects, in S3, and not here.
    static readonly string[] Subresources = ["annotation", "legal-hold", "renameObject", "restore", "retention", "select", "select-type",
        "torrent"];

    public static IReadOnlyList<Route> Routes { get; } =
    [
        Service(S3Operation.ListBuckets, "GET", FileRights.Read) with
        {
            Parameters = ["max-buckets", "continuation-token", "prefix", "bucket-region"],
        },

        Bucket(S3Operation.GetBucketLocation, "GET", FileRights.Read, "location"),
        Bucket(S3Operation.GetBucketVersioning, "GET", FileRights.Read, "versioning"),
        Bucket(S3Operation.GetBucketAcl, "GET", FileRights.Read, "acl"),
        Bucket(S3Operation.GetBucketPolicy, "GET", FileRights.Read, "policy"),
        Bucket(S3Operation.PutBucketPolicy, "PUT", FileRights.Administer, "policy"),
        Bucket(S3Operation.DeleteBucketPolicy, "DELETE", FileRights.Administer, "policy"),
        Bucket(S3Operation.GetBucketPolicyStatus, "GET", FileRights.Read, "policyStatus"),
        Bucket(S3Operation.GetBucketCors, "GET", FileRights.Read, "cors"),
        Bucket(S3Operation.PutBucketCors, "PUT", FileRights.Administer, "cors"),
        Bucket(S3Operation.DeleteBucketCors, "DELETE", FileRights.Administer, "cors"),
        Bucket(S3Operation.GetBucketTagging, "GET", FileRights.Read, "tagging"),
        Bucket(S3Operation.PutBucketTagging, "PUT", FileRights.Administer, "tagging"),
        Bucket(S3Operation.DeleteBucketTagging, "DELETE", FileRights.Administer, "tagging"),
        .. Configurations.Select(key => Bucket(S3Operation.GetBucketConfiguration, "GET", FileRights.Read,
            key) with { Parameters = ["id"] }),
        Bucket(S3Operation.ListMultipartUploads, "GET", FileRights.Read, "uploads") with
        {
            Parameters = ["prefix", "delimiter", "max-uploads", "key-marker", "upload-id-marker", "encoding-type"],
        },
        Bucket(S3Operation.ListObjectVersions, "GET", FileRights.Read, "versions") with
        {
            Parameters = [.. ListParameters, "key-marker", "version-id-marker"],
        },
        Bucket(S3Operation.ListObjectsV2, "GET", FileRights.Read, "list-type") with
        {
            Parameters = [.. ListParameters, "continuation-token", "start-after", "fetch-owner"],
            CanBePublic = true,
        },
        Bucket(S3Operation.ListObjects, "GET", FileRights.Read) with { Parameters = [.. ListParameters, "marker"], CanBePublic = true },
        Bucket(S3Operation.HeadBucket, "HEAD", FileRights.Read) with { CanBePublic = true },
        Bucket(S3Operation.CreateBucket, "PUT", FileRights.Write),
        Bucket(S3Operation.DeleteBucket, "DELETE", FileRights.Write),
        Bucket(S3Operation.DeleteObjects, "POST", FileRights.Write, "delete"),
        Bucket(S3Operation.PostObject, "POST", FileRights.Write) with { IsForm = true },

        Object(S3Operation.GetObjectAcl, "GET", FileRights.Read, "acl") with { Parameters = ["versionId"] },
        Object(S3Operation.GetObjectTagging, "GET", FileRights.Read, "tagging") with { Parameters = ["versionId"] },
        Object(S3Operation.PutObjectTagging, "PUT", FileRights.Write, "tagging") with { Parameters = ["versionId"] },
        Object(S3Operation.DeleteObjectTagging, "DELETE", FileRights.Write, "tagging") with { Parameters = ["versionId"] },
        Object(S3Operation.GetObjectAttributes, "GET", FileRights.Read, "attributes") with { Parameters = ["versionId"] },
        Object(S3Operation.ListParts, "GET", FileRights.Read, "uploadId") with
        {
            Parameters = ["max-parts", "part-number-marker", "encoding-type"],
        },
        Object(S3Operation.UploadPartCopy, "PUT", FileRights.Write, "uploadId", "partNumber") with { Header = CopySource },
        Object(S3Operation.UploadPart, "PUT", FileRights.Write, "uploadId", "partNumber"),
        Object(S3Operation.AbortMultipartUpload, "DELETE", FileRights.Write, "uploadId"),
        Object(S3Operation.CompleteMultipartUpload, "POST", FileRights.Write, "uploadId"),
        Object(S3Operation.CreateMultipartUpload, "POST", FileRights.Write, "uploads"),
        Object(S3Operation.GetObject, "GET", FileRights.Read) with
        {
            Parameters = [.. Overrides, "versionId", "partNumber"],
            CanBePublic = true,
            IgnoresOthers = true,
        },
        Object(S3Operation.HeadObject, "HEAD", FileRights.Read) with
        {
            Parameters = [.. Overrides, "versionId", "partNumber"],
            CanBePublic = true,
            IgnoresOthers = true,
        },
        Object(S3Operation.CopyObject, "PUT", FileRights.Write) with { Header = CopySource },
        Object(S3Operation.PutObject, "PUT", FileRights.Write),
        Object(S3Operation.DeleteObject, "DELETE", FileRights.Write) with { Parameters = ["versionId"] },
    ];

    static readonly HashSet<string> Methods = Routes.Select(route => route.Method).ToHashSet(StringComparer.Ordinal);

    // What makes another route of a request: where one is there, the route has to be its own.
    static readonly HashSet<string> KeyNames = Routes.SelectMany(route => route.Keys).ToHashSet(StringComparer.Ordinal);

    /// <summary>The route of a request: of those that fit, the one that asks for most.</summary>
    /// <exception cref="S3Exception">No operation has the method at this level.</exception>
    public static Route Find(string method, RouteLevel level, RequestTarget target, Func<string, bool> hasHeader)
    {
        Route? found = null;
        foreach (var route in Routes)
        {
            if (route.Method != method || route.Level != level || !Fits(route, target, hasHeader)) continue;
            if (found is null || Weight(route) > Weight(found)) found = route;
        }

        if (found is not null) return found;
        var isPresigned = PresignedQuery.IsIn(target);
        var isKnown = Methods.Contains(method) && target.Query.Any(parameter => !IsIgnored(parameter.Name, isPresigned));
        return isKnown ? Route.Unknown : throw S3Error.MethodNotAllowed.Exception();
    }

    static int Weight(Route route) => (2 * route.Keys.Count) + (route.Header is null ? 0 : 1);

    static bool Fits(Route route, RequestTarget target, Func<string, bool> hasHeader)
    {
        if (route.Header is not null && !hasHeader(route.Header)) return false;
        foreach (var key in route.Keys)
        {
            if (target.Find(key) is null) return false;
        }

        var isPresigned = PresignedQuery.IsIn(target);
        foreach (var parameter in target.Query)
        {
            var name = parameter.Name;
            if (route.IgnoresOthers && !IsSubresource(name)) continue;
            if (!route.Keys.Contains(name, StringComparer.Ordinal) && !route.Parameters.Contains(name, StringComparer.Ordinal)
                && (KeyNames.Contains(name) || !IsIgnored(name, isPresigned)))
                return false;
        }

        return true;
    }

    // What clients say of themselves (x-id); where the query is signed as such, also the signature, and headers that stand in it. Without a
    // signature in the query nobody heeds such headers, so the request is not taken for one without them.
    static bool IsIgnored(string parameter, bool isPresigned) => parameter.StartsWith("x-", StringComparison.OrdinalIgnoreCase)
        && (isPresigned || !parameter.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase));

    // What would be another operation, or change what this one does.
    static bool IsSubresource(string parameter) => KeyNames.Contains(parameter) || Subresources.Contains(parameter)
        || parameter.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase);

    static Route Service(S3Operation operation, string method, FileRights right) => new(operation, method, RouteLevel.Service, right);

    static Route Bucket(S3Operation operation, string method, FileRights right, params string[] keys) =>
        new(operation, method, RouteLevel.Bucket, right) { Keys = keys };

    static Route Object(S3Operation operation, string method, FileRights right, params string[] keys) =>
        new(operation, method, RouteLevel.Object, right) { Keys = keys };
}
