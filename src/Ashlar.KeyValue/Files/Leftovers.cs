using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>Files that count no more, or never came to count: whoever comes next deletes what is still there.</summary>
static class Leftovers
{
    /// <summary>Deletes a file if the disk lets it.</summary>
    public static void TryDelete(this IFileSystem fileSystem, string path)
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
