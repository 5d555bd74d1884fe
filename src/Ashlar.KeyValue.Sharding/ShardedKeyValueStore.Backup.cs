using Ashlar.KeyValue.Sharding.Backup;
using Ashlar.KeyValue.Sharding.Layout;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

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
        EnumArgument.RequireDefined(mode);
        ThrowIfClosed();
        var fileSystem = options.FileSystem ?? FileSystems.Real;
        var target = new ShardedBackupDirectory(fileSystem, ShardDirectory.FullPath(directory));
        fileSystem.RequireApart(this.directory.Directory, target.Path, nameof(directory));
        fileSystem.CreateDirectories(target.Path);
        using var held = target.LockForWriting();
        target.DeleteLeftovers(options);
        var number = target.NextNumber();
        var pending = BeginAtOneMoment();
        var backups = new BackupInfo[shards.Length];
        try
        {
            OnAllShards(shard => backups[shard] = pending[shard].Write(target.ShardPath(shard), mode));
        }
        finally
        {
            foreach (var one in pending) one.Dispose();
        }

        var now = options.TimeProvider.GetUtcNow();
        target.Install(new ShardedBackupRecord(
            number, now.ToUnixTimeMilliseconds() * 1000, [.. backups.Select(backup => new ShardBackup(backup.Number, backup.Sequence))],
            layout));
        return new ShardedBackupInfo { Number = number, StoreId = StoreId, TakenAt = now, Shards = backups };
    }

    // As for a snapshot: sequences only grow. If, after the backup of every shard was begun, each still shows the sequence of it, then
    // all of them showed exactly that at the moment when the last was begun. Writers that passed the gate are few, so that the
    // moment comes.
    PendingBackup[] BeginAtOneMoment()
    {
        if (!options.ReadOnly) SyncShards(); // Most of the work, before anybody waits for it.
        gate.Close();
        try
        {
            while (true)
            {
                if (TryBegin() is { } pending) return pending;
                Thread.Yield();
            }
        }
        finally
        {
            gate.Open();
        }
    }

    PendingBackup[]? TryBegin()
    {
        var pending = new PendingBackup[shards.Length];
        var isOneMoment = false;
        try
        {
            OnAllShards(shard => pending[shard] = shards[shard].BeginBackup());
            isOneMoment = true;
            for (var i = 0; i < shards.Length; i++) isOneMoment &= shards[i].VisibleSequence == pending[i].Sequence;
            return isOneMoment ? pending : null;
        }
        finally
        {
            if (!isOneMoment)
            {
                foreach (var one in pending) one?.Dispose(); // One may not have been begun.
            }
        }
    }
}
