using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>A directory of backups of a store: a record for each, and the files that they share.</summary>
sealed class BackupDirectory(IFileSystem fileSystem, string path) : RecordDirectory<BackupRecord>(fileSystem, path)
{
    /// <summary>Files of a backup as those of the store that it is.</summary>
    public BackupFiles Assemble(Guid storeId, IEnumerable<BackupFile> files) => new(FileSystem, Path, storeId, files);

    /// <summary>
    /// Deletes what no record names: what a backup that did not end has left, or one that was deleted. As long as a record
    /// does not hold nobody can say what it needs, and nothing is deleted.
    /// </summary>
    public void DeleteLeftovers()
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (_, record, _) in ReadRecords())
        {
            if (record is null) return;
            foreach (var file in record.Files) needed.Add(file.StoredName);
        }

        foreach (var name in FileSystem.List(Path))
        {
            var isOurs = name.StartsWith("table-", StringComparison.Ordinal) || name.StartsWith("log-", StringComparison.Ordinal)
                || name.StartsWith("manifest-", StringComparison.Ordinal)
                || (name.StartsWith(BackupRecord.NamePrefix, StringComparison.Ordinal)
                    && name.EndsWith(NewSuffix, StringComparison.Ordinal));
            if (isOurs && !needed.Contains(name)) FileSystem.Delete(PathOf(name));
        }
    }
}
