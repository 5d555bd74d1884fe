using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>A directory of backups of a sharded store: a record for each, and a directory of backups for each shard.</summary>
sealed class ShardedBackupDirectory(IFileSystem fileSystem, string path)
{
    const string RecordPrefix = "backup-";
    const string ShardPrefix = "shard-";

    public IFileSystem FileSystem { get; } = fileSystem;

    public string Path { get; } = path;

    public string LockPath => $"{Path}/LOCK";

    public string RecordPath(ulong number) => $"{Path}/{RecordPrefix}{number:d6}";

    public string ShardPath(int shard) => $"{Path}/{ShardDirectory.NameOf(shard)}";

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

    public ShardedBackupRecord ReadRecord(ulong number)
    {
        using var file = FileSystem.Open(RecordPath(number), FileOpenMode.ReadOnly);
        var bytes = new byte[checked((int)file.LengthBytes)];
        if (file.Read(bytes, 0) != bytes.Length) throw new CorruptDataException(file.Path, 0, "the record became shorter while it was read");
        var record = ShardedBackupRecord.Decode(bytes, file.Path);
        return record.Number == number
            ? record
            : throw new CorruptDataException(file.Path, 16, $"this is the record of backup {record.Number}");
    }

    // Crash order: the backups of the shards are durable, each with its record. The backup is there once this has its name;
    // before, those are leftovers.
    public void Install(ShardedBackupRecord record)
    {
        var source = RecordPath(record.Number) + ".new";
        using (var file = FileSystem.Open(source, FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0);
            file.Write(record.Encode(), 0);
            file.Sync();
        }

        FileSystem.Rename(source, RecordPath(record.Number));
        FileSystem.SyncDirectory(Path);
    }

    /// <summary>Deletes backups of shards that no record names; none, as long as a record does not hold.</summary>
    public void DeleteLeftovers(KeyValueOptions options)
    {
        var needed = new HashSet<(int Shard, ulong Number)>();
        foreach (var number in Numbers())
        {
            try
            {
                var shards = ReadRecord(number).Shards;
                for (var i = 0; i < shards.Count; i++) needed.Add((i, shards[i].Number));
            }
            catch (CorruptDataException)
            {
                return;
            }
        }

        foreach (var name in FileSystem.List(Path))
        {
            if (!name.StartsWith(ShardPrefix, StringComparison.Ordinal)
                || !int.TryParse(name.AsSpan(ShardPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var shard)) continue;
            var backups = new KeyValueBackups(ShardPath(shard), options);
            foreach (var number in backups.Directory.Numbers().Where(number => !needed.Contains((shard, number)))) backups.Delete(number);
        }
    }
}
