using Ashlar.KeyValue.Sharding.Layout;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Backup;

/// <summary>A directory of backups of a sharded store: a record for each, and a directory of backups for each shard.</summary>
// Crash order: the backups of the shards are durable, each with its record. The backup is there once its own record is;
// before, those are leftovers.
sealed class ShardedBackupDirectory(IFileSystem fileSystem, string path) : RecordDirectory<ShardedBackupRecord>(fileSystem, path)
{
    public string ShardPath(int shard) => PathOf(ShardDirectory.NameOf(shard));

    /// <summary>Deletes backups of shards that no record names; none, as long as a record does not hold.</summary>
    public void DeleteLeftovers(KeyValueOptions options)
    {
        var needed = new HashSet<(int Shard, ulong Number)>();
        foreach (var (_, record, _) in ReadRecords())
        {
            if (record is null) return;
            for (var i = 0; i < record.Shards.Count; i++) needed.Add((i, record.Shards[i].Number));
        }

        foreach (var name in FileSystem.List(Path))
        {
            if (!ShardDirectory.IsName(name, out var shard)) continue;
            var backups = new KeyValueBackups(PathOf(name), options);
            foreach (var backup in backups.List().Where(backup => !needed.Contains((shard, backup.Number)))) backups.Delete(backup.Number);
        }
    }
}
