using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>Directories as callers name them.</summary>
static class StoreDirectory
{
    public static string FullPath(string directory) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));

    /// <summary>
    /// Refuses directories that lie in each other, by their names: an archive, for one, may be on a disk that does not answer, and no
    /// opening waits for it.
    /// </summary>
    /// <exception cref="ArgumentException">They do.</exception>
    public static void RequireApart(string store, string other, string parameter)
    {
        if (FileSystemExtensions.OverlapAsWritten(store, other)) throw Within(store, other, parameter);
    }

    /// <summary>The same, wherever symbolic links lead.</summary>
    /// <exception cref="ArgumentException">They lie in each other.</exception>
    public static void RequireApart(IFileSystem fileSystem, string store, string other, string parameter)
    {
        if (fileSystem.Overlap(store, other)) throw Within(store, other, parameter);
    }

    static ArgumentException Within(string store, string other, string parameter) => new(
        $"{other} and the directory of the store, {store}, are one, or one lies in the other: whoever copies, moves or deletes one "
            + "of them would take the other along. Take a directory beside it",
        parameter);

    /// <summary>
    /// Makes the names of a directory and of those above it durable: whoever created them may have died before it could. Those that may
    /// not be opened are not this program's to create.
    /// </summary>
    public static void MakeNameDurable(IFileSystem fileSystem, string directory)
    {
        for (var parent = Path.GetDirectoryName(directory); !string.IsNullOrEmpty(parent); parent = Path.GetDirectoryName(parent))
        {
            try
            {
                fileSystem.SyncDirectory(parent);
            }
            catch (StorageException refused) when (refused.Kind == StorageErrorKind.AccessDenied)
            {
                return;
            }
        }
    }
}
