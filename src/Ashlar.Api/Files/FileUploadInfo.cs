using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>An upload in parts that has not ended.</summary>
public sealed record FileUploadInfo
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Upload".</summary>
    public string Kind { get; init; } = "Upload";

    /// <summary>What it is known by.</summary>
    public required string Id { get; init; }

    /// <summary>The file that is to be.</summary>
    public required string Path { get; init; }

    /// <summary>When it was begun.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is given up, unless a part comes before.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>Uploads of a customer that have not ended.</summary>
public sealed record FileUploadList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"UploadList".</summary>
    public string Kind { get; init; } = "UploadList";

    /// <summary>The uploads.</summary>
    public required IReadOnlyList<FileUploadInfo> Items { get; init; }

    /// <summary>Where the next page is; absent on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>A part of an upload.</summary>
/// <param name="Number">Its number: parts are put together in the order of their numbers.</param>
/// <param name="SizeBytes">Its length.</param>
/// <param name="Tag">The entity tag of its content.</param>
public sealed record FilePart(int Number, long SizeBytes, string Tag);

/// <summary>Parts of an upload that are there, by number.</summary>
public sealed record FilePartList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"PartList".</summary>
    public string Kind { get; init; } = "PartList";

    /// <summary>The parts.</summary>
    public required IReadOnlyList<FilePart> Items { get; init; }

    /// <summary>Where the next page is; absent on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>An upload in parts to be begun.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record BeginFileUpload
{
    /// <summary>The file that is to be.</summary>
    public required string Path { get; init; }

    /// <summary>How long it will be, so that a want of room is told at once; absent where that is not known.</summary>
    public long? SizeBytes { get; init; }
}

/// <summary>An upload in parts to be completed.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CompleteFileUpload
{
    /// <summary>The parts that make the file; absent for all that are there.</summary>
    public IReadOnlyList<CompletedPart>? Parts { get; init; }

    /// <summary>Whether a file of the path is replaced.</summary>
    public bool Replace { get; init; }
}

/// <summary>A part of a file.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Tag">Its entity tag, as it was answered.</param>
public sealed record CompletedPart(int Number, string Tag);
