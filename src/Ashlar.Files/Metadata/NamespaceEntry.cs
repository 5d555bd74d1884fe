namespace Ashlar.Files;

/// <summary>What a name stands for.</summary>
public enum NamespaceEntryKind
{
    /// <summary>A file.</summary>
    File = 0,

    /// <summary>A directory.</summary>
    Directory,
}

/// <summary>A name in the tree of a customer, with what listings show of it.</summary>
public sealed record NamespaceEntry
{
    /// <summary>Where it is.</summary>
    public required FilePath Path { get; init; }

    /// <summary>What it is.</summary>
    public required NamespaceEntryKind Kind { get; init; }

    /// <summary>Whether it is a directory that was made for what is in it, and goes with the last of that.</summary>
    public bool IsImplicit { get; init; }

    /// <summary>Which file: the number of the upload that made it. 0 for a directory.</summary>
    public ulong FileId { get; init; }

    /// <summary>Length of the file; 0 for a directory.</summary>
    public long SizeBytes { get; init; }

    /// <summary>The file's entity tag; empty for a directory.</summary>
    public string Tag { get; init; } = "";

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it got its name, or its properties were updated.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A name with all that is known of it.</summary>
/// <param name="Entry">What listings show.</param>
/// <param name="Properties">What is kept beside the content.</param>
public sealed record DescribedEntry(NamespaceEntry Entry, FileProperties Properties);
