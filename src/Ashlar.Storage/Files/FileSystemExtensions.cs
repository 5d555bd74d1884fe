namespace Ashlar.Storage;

/// <summary>What takes several calls of a file system.</summary>
public static class FileSystemExtensions
{
    /// <summary>Creates a directory where it is missing, its parents too. The names that were created are durable then.</summary>
    /// <param name="fileSystem">The disk.</param>
    /// <param name="path">The directory, without a separator at its end.</param>
    public static void CreateDirectories(this IFileSystem fileSystem, string path)
    {
        ArgumentNullException.ThrowIfNull(fileSystem);
        if (fileSystem.DirectoryExists(path)) return;
        var parent = Path.GetDirectoryName(path);
        if (!string.IsNullOrEmpty(parent)) fileSystem.CreateDirectories(parent);
        try
        {
            fileSystem.CreateDirectory(path);
        }
        catch (StorageException refusal) when (refusal.Kind == StorageErrorKind.AlreadyExists)
        {
            // Somebody else may have created it just now.
            if (!fileSystem.DirectoryExists(path))
                throw new StorageException(
                    refusal.Operation, path, refusal.Kind, refusal.Errno,
                    $"a directory is needed here, and this is {WhatIsAt(fileSystem, path)}");
        }

        if (!string.IsNullOrEmpty(parent)) fileSystem.SyncDirectory(parent);
    }

    /// <summary>Makes sure that a directory is there, before anything is looked for in it.</summary>
    /// <param name="fileSystem">The disk.</param>
    /// <param name="path">The directory.</param>
    /// <param name="what">What it is to be, for the message: "directory of backups".</param>
    /// <exception cref="StorageException">It is missing, or is a file (<see cref="StorageErrorKind.NotFound"/>).</exception>
    public static void RequireDirectory(this IFileSystem fileSystem, string path, string what)
    {
        ArgumentNullException.ThrowIfNull(fileSystem);
        if (fileSystem.DirectoryExists(path)) return;
        var isFile = fileSystem.FileExists(path);
        throw new StorageException(
            "open", path, StorageErrorKind.NotFound, isFile ? Errno.NotDirectory : Errno.NoEntry,
            isFile ? $"this is a file, no {what}" : $"there is no {what} here");
    }

    /// <summary>
    /// Whether two directories are one, or one of them lies in the other, wherever symbolic links lead. Either may be missing.
    /// </summary>
    public static bool Overlap(this IFileSystem fileSystem, string one, string other)
    {
        var (first, second) = (Resolve(fileSystem, one), Resolve(fileSystem, other));
        return OverlapAsWritten(first, second);
    }

    /// <summary>The same by the names alone, without a look at the disk.</summary>
    public static bool OverlapAsWritten(string one, string other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        return OverlapAsWritten(
            one, other, isIgnoringCase: OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), OperatingSystem.IsWindows());
    }

    /// <summary>
    /// The same on a system that tells names by their case or not. Most disks of Windows and macOS do not, and those that do are few enough
    /// to refuse names there that differ by nothing else.
    /// </summary>
    internal static bool OverlapAsWritten(string one, string other, bool isIgnoringCase, bool hasBackslashes)
    {
        var comparison = isIgnoringCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        var (first, second) = (Prefix(one), Prefix(other));
        return first.StartsWith(second, comparison) || second.StartsWith(first, comparison);

        string Prefix(string path) => (hasBackslashes ? path.Replace('\\', '/') : path).TrimEnd('/') + '/';
    }

    /// <summary>Refuses directories of which one lies in the other, wherever symbolic links lead.</summary>
    /// <param name="fileSystem">The disk.</param>
    /// <param name="one">The one that is there.</param>
    /// <param name="other">The one that was asked for.</param>
    /// <param name="parameter">What it was asked for by.</param>
    /// <exception cref="ArgumentException">They lie in each other.</exception>
    public static void RequireApart(this IFileSystem fileSystem, string one, string other, string parameter)
    {
        if (fileSystem.Overlap(one, other)) throw Within(one, other, parameter);
    }

    /// <summary>
    /// The same by the names alone: an archive, for one, may be on a disk that does not answer, and no opening waits for it.
    /// </summary>
    /// <exception cref="ArgumentException">They lie in each other.</exception>
    public static void RequireApartAsWritten(string one, string other, string parameter)
    {
        if (OverlapAsWritten(one, other)) throw Within(one, other, parameter);
    }

    static ArgumentException Within(string one, string other, string parameter) => new(
        $"{other} and {one} are one directory, or one lies in the other: whoever copies, moves or deletes one of them would take the other "
            + "along. Take a directory beside it",
        parameter);

    static string WhatIsAt(IFileSystem fileSystem, string path) =>
        fileSystem.FileExists(path) ? "a file" : "no directory, but a symbolic link to nowhere, say";

    // What does not exist yet has no links in it.
    static string Resolve(IFileSystem fileSystem, string path)
    {
        if (fileSystem.DirectoryExists(path)) return fileSystem.ResolveLinks(path);
        var parent = Path.GetDirectoryName(path);
        return string.IsNullOrEmpty(parent) ? path : Path.Combine(Resolve(fileSystem, parent), Path.GetFileName(path));
    }
}
