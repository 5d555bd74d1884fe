using Ashlar.KeyValue;
using Ashlar.KeyValue.Sharding;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>The backups in a directory, of a store with shards or without.</summary>
sealed class KeyValueBackupSet(string directory)
{
    readonly KeyValueBackups plain = new(directory);
    readonly ShardedKeyValueBackups sharded = new(directory);

    /// <summary>Whether they are of a sharded store: each shard has a directory of backups.</summary>
    public bool IsSharded { get; } = FileSystems.Real.DirectoryExists($"{directory}/shard-000");

    public IReadOnlyList<BackupInfo> List() => IsSharded ? [.. sharded.List().Select(Describe)] : plain.List();

    public VerificationReport Verify(ulong number) => IsSharded ? sharded.Verify(number) : plain.Verify(number);

    public void Restore(ulong number, string target)
    {
        if (IsSharded) sharded.Restore(number, target);
        else plain.Restore(number, target);
    }

    public void Delete(ulong number)
    {
        if (IsSharded) sharded.Delete(number);
        else plain.Delete(number);
    }

    /// <summary>A backup of all shards as one: sums, and the newest commit.</summary>
    public static BackupInfo Describe(ShardedBackupInfo info) => new()
    {
        Number = info.Number,
        StoreId = info.StoreId,
        TakenAt = info.TakenAt,
        Sequence = (ulong)info.Shards.Sum(shard => (long)shard.Sequence),
        CommittedAt = info.Shards.Count == 0 ? default : info.Shards.Max(shard => shard.CommittedAt),
        FileCount = info.Shards.Sum(shard => shard.FileCount),
        SizeBytes = info.SizeBytes,
        OwnBytes = info.OwnBytes,
        Damage = info.Damage,
    };
}
