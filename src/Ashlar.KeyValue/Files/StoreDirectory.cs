using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>Directories as callers name them.</summary>
static class StoreDirectory
{
    public static string FullPath(string directory) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));

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
