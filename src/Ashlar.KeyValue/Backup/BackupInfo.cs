using Ashlar.KeyValue.Backup;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>How <see cref="KeyValueStore.BackUp"/> treats files that an earlier backup has already.</summary>
public enum BackupMode
{
    /// <summary>They are shared; only what is new is copied.</summary>
    Incremental = 0,

    /// <summary>Everything is copied: the backup shares no file with another one.</summary>
    Full,
}

/// <summary>A backup in a directory of backups.</summary>
public sealed record BackupInfo
{
    /// <summary>Its number in its directory, counted from 1; never used again.</summary>
    public required ulong Number { get; init; }

    /// <summary>The store it is of.</summary>
    public Guid StoreId { get; init; }

    /// <summary>When it was completed, by the clock of the store.</summary>
    public DateTimeOffset TakenAt { get; init; }

    /// <summary>It holds every write up to this sequence, and none behind it.</summary>
    public ulong Sequence { get; init; }

    /// <summary>When the newest group of writes in it was committed.</summary>
    public DateTimeOffset CommittedAt { get; init; }

    /// <summary>Its files, those that it shares included.</summary>
    public int FileCount { get; init; }

    /// <summary>Bytes of its files: what a restore writes.</summary>
    public long SizeBytes { get; init; }

    /// <summary>Bytes of those files that no earlier backup has.</summary>
    public long OwnBytes { get; init; }

    /// <summary>What is wrong with its record; null if that holds. Nothing else is known of such a backup.</summary>
    public CorruptDataException? Damage { get; init; }

    internal static BackupInfo Of(BackupRecord record, long ownBytes) => new()
    {
        Number = record.Number,
        StoreId = record.StoreId,
        TakenAt = CommitTime.ToTime(record.TakenAt),
        Sequence = record.Sequence,
        CommittedAt = CommitTime.ToTime(record.CommitTime),
        FileCount = record.Files.Count,
        SizeBytes = record.Files.Sum(file => file.LengthBytes),
        OwnBytes = ownBytes,
    };
}
