namespace Ashlar.Files;

/// <summary>What becomes visible when an upload ends.</summary>
public sealed record FileCommit
{
    /// <summary>Longest content that lies with its metadata.</summary>
    public const int MaxInlineBytes = 4096;

    /// <summary>Longest entity tag.</summary>
    public const int MaxTagBytes = 128;

    /// <summary>Where the file is to be.</summary>
    public required FilePath Path { get; init; }

    /// <summary>Its entity tag: ASCII.</summary>
    public required string Tag { get; init; }

    /// <summary>What is kept beside its content.</summary>
    public FileProperties Properties { get; init; } = FileProperties.Empty;

    /// <summary>Whether directories that are missing above it are made: see <see cref="CreateDirectoryOptions"/>.</summary>
    public bool CreateParents { get; init; }

    /// <summary>All of its content, if it has no blocks.</summary>
    public ReadOnlyMemory<byte>? Inline { get; init; }

    /// <summary>Its blocks, in order; each is pinned by the intent.</summary>
    public IReadOnlyList<FileBlock> Blocks { get; init; } = [];

    /// <summary>Numbers and entity tags of the parts that its blocks are; null if it does not come in parts.</summary>
    public IReadOnlyList<(int Number, string Tag)>? Parts { get; init; }

    /// <summary>
    /// Copies that this upload answers for: those that it made durable, and, of known blocks of which too few were there, those that were.
    /// Of these blocks no others count, whatever is listed.
    /// </summary>
    public IReadOnlyDictionary<BlockName, IReadOnlyCollection<NodeId>> Written { get; init; } =
        new Dictionary<BlockName, IReadOnlyCollection<NodeId>>();

    /// <summary>
    /// Nodes that may hold what this upload wrote: another copy of a block may still be on its way, and where another upload of the content
    /// was first it is removed wherever it may be.
    /// </summary>
    public IReadOnlyCollection<NodeId> Holders { get; init; } = [];

    /// <summary>Copies that each block must have for the file to become visible.</summary>
    public int RequiredCopies { get; init; } = 1;

    /// <summary>Copies that each block should have; where one has fewer, it is listed for repair in the same transaction.</summary>
    public int WantedCopies { get; init; } = 1;

    /// <summary>On what it depends that the file takes the name.</summary>
    public CommitCondition Condition { get; init; } = CommitCondition.MustNotExist;
}

/// <summary>On what it depends that a file takes a name.</summary>
/// <param name="MayReplace">Whether a file of the name is replaced.</param>
/// <param name="IfTag">
/// Then: only a file with this tag, and there must be one; <c>*</c> is any tag, but there must be one; null is any, or none.
/// </param>
public readonly record struct CommitCondition(bool MayReplace, string? IfTag)
{
    /// <summary>Stands for every tag.</summary>
    public const string AnyTag = "*";

    /// <summary>The name must be free.</summary>
    public static CommitCondition MustNotExist { get; }

    /// <summary>A file of the name is replaced.</summary>
    public static CommitCondition Replace { get; } = new(true, null);

    /// <summary>A file of the name is replaced, and there must be one.</summary>
    public static CommitCondition MustExist { get; } = new(true, AnyTag);

    /// <summary>A file of the name is replaced, if it is the one with this tag.</summary>
    public static CommitCondition ReplaceIf(string tag) => new(true, tag);
}
