using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>What a directory of backups has of each backup: a file of its own, which makes it exist.</summary>
interface IBackupRecord<TSelf>
    where TSelf : IBackupRecord<TSelf>
{
    /// <summary>Where the number lies in the file.</summary>
    static abstract int NumberOffset { get; }

    ulong Number { get; }

    byte[] Encode();

    static abstract TSelf Decode(ReadOnlySpan<byte> bytes, string path);
}

/// <summary>A directory with a record for each backup, be it of a store or of a sharded one.</summary>
abstract class RecordDirectory<TRecord>(IFileSystem fileSystem, string path)
    where TRecord : class, IBackupRecord<TRecord>
{
    protected const string RecordPrefix = "backup-";
    protected const string NewSuffix = ".new";

    // What a record becomes when its backup is deleted and none has a larger number: only its name counts.
    const string DeletedPrefix = "deleted-";

    public IFileSystem FileSystem { get; } = fileSystem;

    public string Path { get; } = path;

    /// <summary>Held by who changes the backups, shared by who reads them.</summary>
    public string LockPath => PathOf("LOCK");

    public string PathOf(string name) => $"{Path}/{name}";

    public string RecordPath(ulong number) => PathOf($"{RecordPrefix}{number:d6}");

    /// <summary>Keeps backups from being changed meanwhile. A directory that cannot be written has no lock and needs none.</summary>
    public IDisposable? LockForReading() => FileSystem.FileExists(LockPath) ? FileSystem.LockShared(LockPath) : null;

    /// <summary>Numbers of all backups, oldest first.</summary>
    public List<ulong> Numbers() => Numbers(RecordPrefix);

    /// <summary>The number that the next backup gets: larger than any that was ever given.</summary>
    public ulong NextNumber() => Math.Max(Numbers().LastOrDefault(), Numbers(DeletedPrefix).LastOrDefault()) + 1;

    /// <summary>Reads the record of a backup.</summary>
    /// <exception cref="CorruptDataException">The record is damaged.</exception>
    public TRecord ReadRecord(ulong number)
    {
        using var file = FileSystem.Open(RecordPath(number), FileOpenMode.ReadOnly);
        var bytes = new byte[checked((int)file.LengthBytes)];
        if (file.Read(bytes, 0) != bytes.Length)
            throw new CorruptDataException(file.Path, 0, "the record became shorter while it was read");
        var record = TRecord.Decode(bytes, file.Path);
        return record.Number == number
            ? record
            : throw new CorruptDataException(file.Path, TRecord.NumberOffset, $"this is the record of backup {record.Number}");
    }

    /// <summary>Reads the records of all backups, oldest first; of one that does not hold, what is wrong with it.</summary>
    public IEnumerable<(ulong Number, TRecord? Record, CorruptDataException? Damage)> ReadRecords()
    {
        foreach (var number in Numbers())
        {
            (TRecord?, CorruptDataException?) found;
            try
            {
                found = (ReadRecord(number), null);
            }
            catch (CorruptDataException damage)
            {
                found = (null, damage);
            }

            yield return (number, found.Item1, found.Item2);
        }
    }

    /// <summary>Makes a backup exist: all that it needs is durable, and the record is there at once or not at all.</summary>
    public void Install(TRecord record)
    {
        var target = RecordPath(record.Number);
        var source = target + NewSuffix;
        using (var file = FileSystem.Open(source, FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0); // One that died may have left something.
            file.Write(record.Encode(), 0);
            file.Sync();
        }

        FileSystem.SyncDirectory(Path);
        FileSystem.Rename(source, target);
        FileSystem.SyncDirectory(Path);
    }

    /// <summary>Ends a backup; what only it needs is left over then.</summary>
    // Crash order: the newest record changes its name, which takes no space and happens or not; so its number stays known. Then those go
    // that were kept for the same reason before.
    public void Remove(ulong number)
    {
        if (number + 1 < NextNumber())
        {
            FileSystem.Delete(RecordPath(number));
        }
        else
        {
            FileSystem.Rename(RecordPath(number), DeletedPath(number));
            FileSystem.SyncDirectory(Path);
            foreach (var older in Numbers(DeletedPrefix).Where(older => older < number)) FileSystem.Delete(DeletedPath(older));
        }

        FileSystem.SyncDirectory(Path);
    }

    string DeletedPath(ulong number) => PathOf($"{DeletedPrefix}{number:d6}");

    List<ulong> Numbers(string prefix)
    {
        var numbers = new List<ulong>();
        foreach (var name in FileSystem.List(Path))
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)
                && ulong.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        return numbers;
    }
}
