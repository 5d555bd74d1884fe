using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>A directory that a store is restored into.</summary>
static class RestoreTarget
{
    public const string NewManifestName = "MANIFEST.new";
    const string LockName = "LOCK";

    /// <summary>Fills an empty directory with the files of a store, the manifest under a name that does not count.</summary>
    // Crash order: the store exists once its manifest has its name. Everything it lists is durable by then; before, the directory
    // holds files without a manifest, which nobody takes for a store.
    public static void Run(IFileSystem fileSystem, string directory, Action<string> fill)
    {
        using var held = Hold(fileSystem, directory);
        try
        {
            fill(directory);
            fileSystem.SyncDirectory(directory);
        }
        catch
        {
            // The directory was empty: whatever is there is of this.
            foreach (var name in fileSystem.List(directory).Where(name => name != LockName)) fileSystem.TryDelete($"{directory}/{name}");
            throw;
        }

        // If this fails the manifest may have its name all the same: what it lists stays.
        fileSystem.Rename($"{directory}/{NewManifestName}", $"{directory}/{StoreFiles.ManifestName}");
        fileSystem.SyncDirectory(directory);
    }

    /// <summary>Takes a directory that is empty or missing; nobody else fills it meanwhile.</summary>
    /// <exception cref="StorageException">It is not empty (<see cref="StorageErrorKind.AlreadyExists"/>).</exception>
    public static IDisposable Hold(IFileSystem fileSystem, string directory)
    {
        fileSystem.CreateDirectories(directory);
        var held = fileSystem.Lock($"{directory}/{LockName}");
        try
        {
            if (fileSystem.List(directory).FirstOrDefault(name => name != LockName) is not { } inTheWay) return held;
            throw new StorageException(
                "restore", directory, StorageErrorKind.AlreadyExists, 0,
                $"a store is restored only into an empty directory, and \"{inTheWay}\" is in it; of a mount point take a directory below");
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }
}
