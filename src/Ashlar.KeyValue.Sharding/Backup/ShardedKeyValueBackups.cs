using Ashlar.KeyValue.Sharding.Backup;
using Ashlar.KeyValue.Sharding.Layout;
using Ashlar.KeyValue.Sharding.Statistics;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

/// <summary>A backup of a sharded store.</summary>
public sealed record ShardedBackupInfo
{
    /// <summary>Its number in its directory, counted from 1; never used again.</summary>
    public required ulong Number { get; init; }

    /// <summary>The store it is of.</summary>
    public Guid StoreId { get; init; }

    /// <summary>When it was completed, by the clock of the store.</summary>
    public DateTimeOffset TakenAt { get; init; }

    /// <summary>The backups of its shards, in their order; each is one in the directory of that shard.</summary>
    public IReadOnlyList<BackupInfo> Shards { get; init; } = [];

    /// <summary>Bytes of its files: what a restore writes.</summary>
    public long SizeBytes => Shards.Sum(shard => shard.SizeBytes);

    /// <summary>Bytes of those files that no earlier backup has.</summary>
    public long OwnBytes => Shards.Sum(shard => shard.OwnBytes);

    /// <summary>What is wrong with its record; null if that holds. Nothing else is known of such a backup.</summary>
    public CorruptDataException? Damage { get; init; }
}

/// <summary>
/// A directory of backups that <see cref="ShardedKeyValueStore.BackUp"/> has made: lists, verifies, restores and deletes them. In it is a
/// directory of backups for each shard, as <see cref="KeyValueBackups"/> knows them; change those through this class only.
/// </summary>
public sealed class ShardedKeyValueBackups
{
    readonly KeyValueOptions options;
    readonly ShardedBackupDirectory directory;

    /// <summary>Names the directory; nothing is read yet.</summary>
    /// <param name="directory">The directory of backups.</param>
    /// <param name="options">Disk and clock; null is <see cref="KeyValueOptions.Default"/>.</param>
    public ShardedKeyValueBackups(string directory, KeyValueOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        this.options = options ?? KeyValueOptions.Default;
        this.options.Validate();
        this.directory = new ShardedBackupDirectory(
            this.options.FileSystem ?? FileSystems.Real, ShardDirectory.FullPath(directory));
    }

    /// <summary>All backups, oldest first. One whose record is damaged is listed as such.</summary>
    /// <exception cref="StorageException">The directory is missing, or cannot be read.</exception>
    public IReadOnlyList<ShardedBackupInfo> List()
    {
        var lists = new Dictionary<int, IReadOnlyList<BackupInfo>>();
        var result = new List<ShardedBackupInfo>();
        foreach (var number in directory.Numbers())
        {
            try
            {
                result.Add(Describe(directory.ReadRecord(number)));
            }
            catch (CorruptDataException damage)
            {
                result.Add(new ShardedBackupInfo { Number = number, Damage = damage });
            }
        }

        return result;

        ShardedBackupInfo Describe(ShardedBackupRecord record) => new()
        {
            Number = record.Number,
            StoreId = record.Layout.StoreId,
            TakenAt = DateTimeOffset.UnixEpoch.AddTicks(record.TakenAt * TimeSpan.TicksPerMicrosecond),
            Shards = [.. record.Shards.Select((shard, i) => ListOf(i).FirstOrDefault(info => info.Number == shard.Number)
                ?? throw new CorruptDataException(
                    directory.RecordPath(record.Number), 40, $"backup {shard.Number} of shard {i} is missing"))],
        };

        IReadOnlyList<BackupInfo> ListOf(int shard)
        {
            if (lists.TryGetValue(shard, out var list)) return list;
            return lists[shard] = directory.FileSystem.DirectoryExists(directory.ShardPath(shard)) ? BackupsOf(shard).List() : [];
        }
    }

    /// <summary>Reads a whole backup and checks it; see <see cref="KeyValueBackups.Verify"/>.</summary>
    /// <exception cref="StorageException">There is no such backup, or the disk refused.</exception>
    /// <exception cref="CorruptDataException">The record of the backup is damaged.</exception>
    public VerificationReport Verify(ulong number)
    {
        using var held = directory.LockForReading();
        var record = directory.ReadRecord(number);
        return ShardVerification.Sum([.. record.Shards.Select((shard, i) => BackupsOf(i).Verify(shard.Number))], []);
    }

    /// <summary>
    /// Writes the store of a backup into an empty directory; open it there as usual. It keeps its identity; each shard has a history of
    /// its own (<see cref="KeyValueStore.HistoryId"/>).
    /// </summary>
    /// <param name="number">The backup.</param>
    /// <param name="target">A directory that is empty or missing.</param>
    /// <exception cref="StorageException">
    /// There is no such backup, the target is not empty (<see cref="StorageErrorKind.AlreadyExists"/>), or the disk refused.
    /// </exception>
    /// <exception cref="CorruptDataException">A file of the backup is damaged. The target is no store.</exception>
    public void Restore(ulong number, string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        using var held = directory.LockForReading();
        var record = directory.ReadRecord(number);
        var place = new ShardDirectory(directory.FileSystem, ShardDirectory.FullPath(target));
        using var heldTarget = place.HoldEmpty();
        // Crash order: the shards are there, durable, before SHARDS makes them a store.
        for (var i = 0; i < record.Shards.Count; i++) BackupsOf(i).Restore(record.Shards[i].Number, place.ShardPath(i));
        directory.FileSystem.SyncDirectory(place.Directory);
        record.Layout.Write(directory.FileSystem, place.Directory);
    }

    /// <summary>Deletes a backup, and those of its files that no other backup needs.</summary>
    /// <exception cref="StorageException">There is no such backup, or the disk refused.</exception>
    public void Delete(ulong number)
    {
        directory.FileSystem.RequireDirectory(directory.Path, "directory of backups");
        using var held = directory.LockForWriting();
        directory.Remove(number);
        directory.DeleteLeftovers(options);
    }

    KeyValueBackups BackupsOf(int shard) => new(directory.ShardPath(shard), options);
}
