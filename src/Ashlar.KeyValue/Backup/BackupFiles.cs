using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>The files of one backup, under the names that they have there, seen as those of a store.</summary>
sealed class BackupFiles : StoreFiles
{
    readonly Dictionary<string, string> storedNames = new(StringComparer.Ordinal);

    public BackupFiles(IFileSystem fileSystem, string directory, Guid storeId, IEnumerable<BackupFile> files)
        : base(fileSystem, directory)
    {
        StoreId = storeId;
        foreach (var file in files) storedNames[file.Name] = file.StoredName;
    }

    protected override string PathOf(string name) => $"{Directory}/{storedNames.GetValueOrDefault(name, name)}";
}
