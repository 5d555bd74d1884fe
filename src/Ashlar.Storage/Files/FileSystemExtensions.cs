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
        if (string.IsNullOrEmpty(parent))
        {
            fileSystem.CreateDirectory(path);
            return;
        }

        fileSystem.CreateDirectories(parent);
        fileSystem.CreateDirectory(path);
        fileSystem.SyncDirectory(parent);
    }
}
