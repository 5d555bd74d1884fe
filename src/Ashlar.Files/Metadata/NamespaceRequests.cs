namespace Ashlar.Files;

/// <summary>How a directory is made.</summary>
public sealed record CreateDirectoryOptions
{
    /// <summary>
    /// Whether directories that are missing above it are made, implicitly. Those of the root are not: they are made by name, or not at all.
    /// </summary>
    public bool CreateParents { get; init; }

    /// <summary>Whether an implicit directory of the name becomes an explicit one.</summary>
    public bool MayClaimImplicit { get; init; }

    /// <summary>What is kept beside it.</summary>
    public FileProperties Properties { get; init; } = FileProperties.Empty;
}

/// <summary>How a file is copied.</summary>
public sealed record FileCopy
{
    /// <summary>The number of the copy, of the caller's choice, as that of an upload.</summary>
    public required ulong UploadId { get; init; }

    /// <summary>Only if the source has this entity tag; null is any, and so is <c>*</c>.</summary>
    public string? IfTag { get; init; }

    /// <summary>On what it depends that the copy takes its name.</summary>
    public CommitCondition Condition { get; init; } = CommitCondition.MustNotExist;

    /// <summary>What is kept beside the copy; null is what is kept beside the source.</summary>
    public FileProperties? Properties { get; init; }

    /// <summary>The copy's entity tag; null is that of the source.</summary>
    public string? Tag { get; init; }

    /// <summary>Whether directories that are missing above it are made: see <see cref="CreateDirectoryOptions"/>.</summary>
    public bool CreateParents { get; init; }
}
