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

    /// <summary>Which file: the number of the upload that made it. 0 for a directory.</summary>
    public ulong FileId { get; init; }

    /// <summary>Length of the file; 0 for a directory.</summary>
    public long SizeBytes { get; init; }

    /// <summary>The file's entity tag; empty for a directory.</summary>
    public string Tag { get; init; } = "";

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it got its name.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}
