using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>How a request is told from others, and what it needs.</summary>
/// <param name="Operation">What is asked for.</param>
/// <param name="Method">The method.</param>
/// <param name="Level">What the path names.</param>
/// <param name="Right">What the caller must be allowed.</param>
sealed record Route(S3Operation Operation, string Method, RouteLevel Level, FileRights Right)
{
    /// <summary>What is neither here nor known.</summary>
    public static Route Unknown { get; } = new(S3Operation.NotImplemented, "", RouteLevel.Service, FileRights.Administer);

    /// <summary>Parameters that the query must have.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>A header that the request must have.</summary>
    public string? Header { get; init; }

    /// <summary>Whether others are ignored if S3 has no subresource of the name: pages have some for caches and for themselves.</summary>
    public bool IgnoresOthers { get; init; }

    /// <summary>Parameters that the query may have; any other is a subresource that is not here.</summary>
    public IReadOnlyList<string> Parameters { get; init; } = [];

    /// <summary>Whether a policy can open it to anybody.</summary>
    public bool CanBePublic { get; init; }

    /// <summary>Whether it is one of a form, which carries its signature itself.</summary>
    public bool IsForm { get; init; }

    /// <summary>What kind of work it is.</summary>
    public S3Work Work => Operation switch
    {
        S3Operation.GetObject or S3Operation.HeadObject or S3Operation.GetObjectAttributes => S3Work.Read,
        S3Operation.PutObject or S3Operation.PostObject or S3Operation.CopyObject or S3Operation.CreateMultipartUpload
            or S3Operation.UploadPart or S3Operation.UploadPartCopy or S3Operation.CompleteMultipartUpload => S3Work.Write,
        S3Operation.DeleteObject or S3Operation.DeleteObjects or S3Operation.AbortMultipartUpload => S3Work.Delete,
        S3Operation.ListBuckets or S3Operation.ListObjects or S3Operation.ListObjectsV2 or S3Operation.ListObjectVersions
            or S3Operation.ListMultipartUploads or S3Operation.ListParts => S3Work.List,
        _ => S3Work.Other,
    };

    public override string ToString() =>
        $"{Method} {Level}{(Keys.Count == 0 ? "" : "?" + string.Join('&', Keys))}{(Header is null ? "" : $" [{Header}]")}: {Operation}";
}
