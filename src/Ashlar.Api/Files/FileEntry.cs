using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>A file or directory.</summary>
public sealed record FileEntry
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"File" or "Directory".</summary>
    public required string Kind { get; init; }

    /// <summary>Where it is.</summary>
    public required string Path { get; init; }

    /// <summary>Bytes of the file; 0 for a directory.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>The entity tag of the file's content; absent for a directory.</summary>
    public string? Tag { get; init; }

    /// <summary>SHA-256 of the whole content, where it is known.</summary>
    public string? Sha256 { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it got its name.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>What is kept with it beside its content; absent in lists, and where there is nothing.</summary>
    public IReadOnlyDictionary<string, string>? Properties { get; init; }
}

/// <summary>Kinds of <see cref="FileEntry"/>.</summary>
public static class FileEntryKinds
{
    /// <summary>A file.</summary>
    public const string File = "File";

    /// <summary>A directory.</summary>
    public const string Directory = "Directory";
}

/// <summary>What is in a directory, in the order of the names' bytes.</summary>
public sealed record FileListing
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"FileListing".</summary>
    public string Kind { get; init; } = nameof(FileListing);

    /// <summary>The directory.</summary>
    public required string Path { get; init; }

    /// <summary>What is in it.</summary>
    public required IReadOnlyList<FileEntry> Items { get; init; }

    /// <summary>Where the next page is; absent on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>Something to be done at a path.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record FileAction
{
    /// <summary>One of <see cref="FileActions"/>.</summary>
    public required string Action { get; init; }

    /// <summary>The other path, where there is one.</summary>
    public string? To { get; init; }

    /// <summary>Whether a file of the other path is replaced.</summary>
    public bool Replace { get; init; }
}

/// <summary>What can be done at a path.</summary>
public static class FileActions
{
    /// <summary>Makes a directory of the path.</summary>
    public const string CreateDirectory = "createDirectory";

    /// <summary>Gives the file of the path another one.</summary>
    public const string Rename = "rename";

    /// <summary>Makes another file of the same content; no byte of it is copied.</summary>
    public const string Copy = "copy";
}

/// <summary>A verification of files to be begun.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StartFileVerification
{
    /// <summary>How fast it may read; as fast as it can when absent.</summary>
    public long? BytesPerSecond { get; init; }
}

/// <summary>Files to be read into the caches.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StartPrewarm
{
    /// <summary>A file, or a directory with all below.</summary>
    public required string Path { get; init; }

    /// <summary>How fast it may read; as fast as it can when absent.</summary>
    public long? BytesPerSecond { get; init; }
}
