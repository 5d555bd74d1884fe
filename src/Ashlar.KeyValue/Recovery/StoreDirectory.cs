using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>Directories as callers name them.</summary>
static class StoreDirectory
{
    public static string FullPath(string directory) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));

    /// <summary>Creates a directory where it is missing, its parents too. Their names are durable then.</summary>
    public static void CreateIfMissing(IFileSystem fileSystem, string directory)
    {
        if (fileSystem.DirectoryExists(directory)) return;
        var parent = Path.GetDirectoryName(directory);
        if (string.IsNullOrEmpty(parent))
        {
            fileSystem.CreateDirectory(directory);
            return;
        }

        CreateIfMissing(fileSystem, parent);
        fileSystem.CreateDirectory(directory);
        fileSystem.SyncDirectory(parent);
    }
}
