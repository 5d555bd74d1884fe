using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>
    /// Reads which store is in a directory, without opening it: nothing is locked or changed, and it may be open elsewhere.
    /// </summary>
    /// <param name="directory">The directory; it may be missing.</param>
    /// <param name="storeId">Its <see cref="StoreId"/>.</param>
    /// <param name="fileSystem">The disk; null is the real one.</param>
    /// <returns>False if there is no store.</returns>
    /// <exception cref="CorruptDataException">There is one, but what says which is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">It is of a version that this program cannot read.</exception>
    /// <exception cref="StorageException">The disk refused.</exception>
    public static bool TryReadStoreId(string directory, out Guid storeId, IFileSystem? fileSystem = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        fileSystem ??= FileSystems.Real;
        storeId = default;
        var path = StoreFiles.ManifestPathOf(StoreDirectory.FullPath(directory));
        if (!fileSystem.FileExists(path)) return false;
        using var file = fileSystem.Open(path, FileOpenMode.ReadOnly);
        Span<byte> head = stackalloc byte[ManifestHeader.SizeBytes];
        storeId = ManifestHeader.Read(head[..file.Read(head, 0)], path).StoreId;
        return true;
    }
}
