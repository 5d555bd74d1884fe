using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>Names in a directory of backups, and reading and writing of its records.</summary>
sealed class BackupDirectory(IFileSystem fileSystem, string path)
{
    const string RecordPrefix = "backup-";

    public IFileSystem FileSystem { get; } = fileSystem;

    public string Path { get; } = path;

    public string LockPath => PathOf("LOCK");

    public string PathOf(string name) => $"{Path}/{name}";

    public string RecordPath(ulong number) => PathOf($"{RecordPrefix}{number:d6}");

    /// <summary>Numbers of all backups, oldest first.</summary>
    public List<ulong> Numbers()
    {
        var numbers = new List<ulong>();
        foreach (var name in FileSystem.List(Path))
        {
            if (name.StartsWith(RecordPrefix, StringComparison.Ordinal)
                && ulong.TryParse(name.AsSpan(RecordPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        return numbers;
    }

    /// <summary>Reads the record of a backup.</summary>
    /// <exception cref="CorruptDataException">The record is damaged.</exception>
    public BackupRecord ReadRecord(ulong number)
    {
        using var file = FileSystem.Open(RecordPath(number), FileOpenMode.ReadOnly);
        var bytes = new byte[checked((int)file.LengthBytes)];
        if (file.Read(bytes, 0) != bytes.Length)
            throw new CorruptDataException(file.Path, 0, "the record became shorter while it was read");
        var record = BackupRecord.Decode(bytes, file.Path);
        return record.Number == number
            ? record
            : throw new CorruptDataException(file.Path, 32, $"this is the record of backup {record.Number}");
    }

    /// <summary>Makes a backup exist: all its files are durable, and the record is there at once or not at all.</summary>
    public void Install(BackupRecord record)
    {
        var target = RecordPath(record.Number);
        var source = target + ".new";
        using (var file = FileSystem.Open(source, FileOpenMode.CreateNew))
        {
            file.Write(record.Encode(), 0);
            file.Sync();
        }

        FileSystem.SyncDirectory(Path);
        FileSystem.Rename(source, target);
        FileSystem.SyncDirectory(Path);
    }

    /// <summary>
    /// Deletes what no record names: what a backup that did not end has left, or one that was deleted. As long as a record
    /// does not hold nobody can say what it needs, and nothing is deleted.
    /// </summary>
    public void DeleteLeftovers()
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var number in Numbers())
        {
            try
            {
                foreach (var file in ReadRecord(number).Files) needed.Add(file.StoredName);
            }
            catch (CorruptDataException)
            {
                return;
            }
        }

        foreach (var name in FileSystem.List(Path))
        {
            var isOurs = name.StartsWith("table-", StringComparison.Ordinal) || name.StartsWith("log-", StringComparison.Ordinal)
                || name.StartsWith("manifest-", StringComparison.Ordinal)
                || (name.StartsWith(RecordPrefix, StringComparison.Ordinal) && name.EndsWith(".new", StringComparison.Ordinal));
            if (isOurs && !needed.Contains(name)) FileSystem.Delete(PathOf(name));
        }
    }
}
