namespace Ashlar.Files;

/// <summary>A path is none that a file can have.</summary>
public sealed class InvalidPathException(string problem) : FileStoreException($"Not a path: {problem}")
{
    /// <summary>Why not.</summary>
    public string Problem { get; } = problem;

    /// <summary>Whether it is one in another form: something may be there that looks the same.</summary>
    public bool IsOtherForm { get; init; }
}

/// <summary>Properties are none that a file can have.</summary>
public sealed class InvalidPropertiesException(string problem) : FileStoreException($"Not properties of a file: {problem}")
{
    /// <summary>Why not.</summary>
    public string Problem { get; } = problem;
}

/// <summary>Nothing has this name.</summary>
public sealed class PathNotFoundException(FilePath path) : FileStoreException($"{path}: not found")
{
    /// <summary>The name.</summary>
    public FilePath Path { get; } = path;
}

/// <summary>Something has this name already.</summary>
public sealed class PathExistsException(FilePath path, NamespaceEntryKind kind) : FileStoreException(
    $"{path}: there is a {(kind == NamespaceEntryKind.File ? "file" : "directory")} of this name")
{
    /// <summary>The name.</summary>
    public FilePath Path { get; } = path;

    /// <summary>What has it.</summary>
    public NamespaceEntryKind Kind { get; } = kind;
}

/// <summary>A directory is needed, and this is a file.</summary>
public sealed class NotADirectoryException(FilePath path) : FileStoreException($"{path}: not a directory")
{
    /// <summary>The name.</summary>
    public FilePath Path { get; } = path;
}

/// <summary>A file is needed, and this is a directory.</summary>
public sealed class NotAFileException(FilePath path) : FileStoreException($"{path}: not a file")
{
    /// <summary>The name.</summary>
    public FilePath Path { get; } = path;
}

/// <summary>Something is in the directory, or it is the root.</summary>
public sealed class DirectoryNotEmptyException(FilePath path) : FileStoreException(
    path.IsRoot ? "/: the root is not deleted" : $"{path}: the directory is not empty")
{
    /// <summary>The name.</summary>
    public FilePath Path { get; } = path;
}

/// <summary>A name is not any more what the caller has found under it.</summary>
public sealed class EntryChangedException(FilePath path) : FileStoreException($"{path}: it was changed meanwhile")
{
    /// <summary>The name.</summary>
    public FilePath Path { get; } = path;
}

/// <summary>A note is not any more what the caller has found: nothing was changed.</summary>
public sealed class NoteChangedException(string name) : FileStoreException($"note {name} was changed meanwhile")
{
    /// <summary>The note.</summary>
    public string Name { get; } = name;
}

/// <summary>The file has another entity tag than the caller knows, or is not there.</summary>
public sealed class TagMismatchException(FilePath path, string expected, string? found) : FileStoreException(
    $"{path}: entity tag {expected} was expected, " + (found is null ? "and there is no file" : $"{found} was found"))
{
    /// <summary>The name.</summary>
    public FilePath Path { get; } = path;

    /// <summary>The tag that was expected.</summary>
    public string Expected { get; } = expected;

    /// <summary>The tag that was found; null if there is no file.</summary>
    public string? Found { get; } = found;
}
