using Ashlar.KeyValue.Backup;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Sharding;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class ShardedKeyValueStore
{
    /// <summary>
    /// Makes a backup of all shards as they are at one moment, while reading and writing go on. It holds every write that returned
    /// before this call; if it holds a write, it holds every one that returned before that began, in whatever shard. Writers wait
    /// while the logs of all shards are flushed, not while files are copied. Manage backups with <see cref="ShardedKeyValueBackups"/>.
    /// </summary>
    /// <param name="directory">The directory of backups, on the store's file system; it is created when missing.</param>
    /// <param name="mode">Whether files are shared with earlier backups of this store.</param>
    /// <inheritdoc cref="KeyValueStore.BackUp" path="/exception" />
    public ShardedBackupInfo BackUp(string directory, BackupMode mode = BackupMode.Incremental)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ThrowIfClosed();
        var fileSystem = options.FileSystem ?? FileSystems.Real;
        var target = new ShardedBackupDirectory(fileSystem, StoreDirectory.FullPath(directory));
        if (target.Path == this.directory.Directory)
            throw new ArgumentException("A store is not backed up into its own directory.", nameof(directory));
        StoreDirectory.CreateIfMissing(fileSystem, target.Path);
        using var held = fileSystem.Lock(target.LockPath);
        target.DeleteLeftovers(options);
        var number = target.NextNumber();
        var sources = HoldAtOneMoment();
        var backups = new BackupInfo[shards.Length];
        try
        {
            OnAllShards(shard => backups[shard] = shards[shard].WriteBackup(target.ShardPath(shard), sources[shard], mode));
        }
        finally
        {
            foreach (var source in sources) source.Dispose();
        }

        var now = options.TimeProvider.GetUtcNow();
        target.Install(new ShardedBackupRecord(
            number, now.ToUnixTimeMilliseconds() * 1000, [.. backups.Select(backup => new ShardBackup(backup.Number, backup.Sequence))],
            layout));
        return new ShardedBackupInfo { Number = number, StoreId = StoreId, TakenAt = now, Shards = backups };
    }

    // As for a snapshot: sequences only grow. If, after every shard is held, each still shows the sequence that it was held at, then
    // all of them showed exactly that at the moment when the last was held. Writers that passed the gate are few, so that the
    // moment comes.
    BackupSource[] HoldAtOneMoment()
    {
        if (!options.ReadOnly) SyncShards(); // Most of the work, before anybody waits for it.
        gate.Close();
        try
        {
            while (true)
            {
                if (TryHold() is { } sources) return sources;
                Thread.Yield();
            }
        }
        finally
        {
            gate.Open();
        }
    }

    BackupSource[]? TryHold()
    {
        var sources = new BackupSource[shards.Length];
        var isOneMoment = false;
        try
        {
            OnAllShards(shard =>
            {
                if (!options.ReadOnly) shards[shard].Sync();
                sources[shard] = shards[shard].HoldForBackup();
            });
            isOneMoment = true;
            for (var i = 0; i < shards.Length; i++) isOneMoment &= shards[i].VisibleSequence == sources[i].Sequence;
            return isOneMoment ? sources : null;
        }
        finally
        {
            if (!isOneMoment)
            {
                foreach (var source in sources) source?.Dispose(); // One may not have been held.
            }
        }
    }
}
