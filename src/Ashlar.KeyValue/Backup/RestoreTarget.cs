using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>A directory that a store is restored into.</summary>
static class RestoreTarget
{
    public const string NewManifestName = "MANIFEST.new";

    /// <summary>Fills an empty directory with the files of a store, the manifest under a name that does not count.</summary>
    // Crash order: the store exists once its manifest has its name. Everything it lists is durable by then; before, the directory
    // holds files without a manifest, which nobody takes for a store.
    public static void Run(IFileSystem fileSystem, string directory, Action<string, List<string>> fill)
    {
        if (!fileSystem.DirectoryExists(directory)) KeyValueStore.CreateDirectory(fileSystem, directory);
        using var held = fileSystem.Lock($"{directory}/LOCK");
        if (fileSystem.List(directory).Any(name => name != "LOCK"))
            throw new StorageException(
                "restore", directory, StorageErrorKind.AlreadyExists, 0, "a store is restored only into an empty directory");
        var written = new List<string>();
        try
        {
            fill(directory, written);
            fileSystem.SyncDirectory(directory);
        }
        catch
        {
            // The directory was empty: whatever is there is of this.
            foreach (var name in fileSystem.List(directory).Where(name => name != "LOCK")) TryDelete(fileSystem, $"{directory}/{name}");
            throw;
        }

        // If this fails the manifest may have its name all the same: what it lists stays.
        fileSystem.Rename($"{directory}/{NewManifestName}", $"{directory}/{StoreFiles.ManifestName}");
        fileSystem.SyncDirectory(directory);
    }

    static void TryDelete(IFileSystem fileSystem, string path)
    {
        try
        {
            fileSystem.Delete(path);
        }
        catch (StorageException)
        {
        }
    }
}
