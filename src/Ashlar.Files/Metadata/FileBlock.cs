namespace Ashlar.Files;

/// <summary>A block of a file. Any may be shorter than others.</summary>
/// <param name="Name">The block.</param>
/// <param name="LengthBytes">Its length.</param>
public readonly record struct FileBlock(BlockName Name, int LengthBytes);

/// <summary>A file as a range of it is read.</summary>
public sealed record StoredFile
{
    /// <summary>Its name and what listings show.</summary>
    public required NamespaceEntry Entry { get; init; }

    /// <summary>What is kept beside its content.</summary>
    public FileProperties Properties { get; init; } = FileProperties.Empty;

    /// <summary>All of its content, if it is so short that it lies with its metadata.</summary>
    public ReadOnlyMemory<byte>? Inline { get; init; }

    /// <summary>Number of its blocks.</summary>
    public required int BlockCount { get; init; }

    /// <summary>Blocks that the range touches, in order.</summary>
    public IReadOnlyList<FileBlock> Blocks { get; init; } = [];

    /// <summary>Where in the file the first of <see cref="Blocks"/> begins.</summary>
    public long BlocksOffsetBytes { get; init; }
}
