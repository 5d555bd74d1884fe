namespace Ashlar.Planning;

/// <summary>What is stored, how fast it comes, and how long it stays.</summary>
public sealed record Workload
{
    /// <summary>Bytes of a record on average; or else <see cref="Schema"/>.</summary>
    public long? RecordBytes { get; init; }

    /// <summary>The row that a record is; its indexes take the place of <see cref="IndexShare"/>.</summary>
    public RowLayout? Schema { get; init; }

    /// <summary>Records written.</summary>
    public required Rate Writes { get; init; }

    /// <summary>Records read; null if nobody knows.</summary>
    public Rate? Reads { get; init; }

    /// <summary>How long a record stays.</summary>
    public required TimeSpan Retention { get; init; }

    /// <summary>Copies of each record, on different nodes.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>What indexes add, as a share of the records.</summary>
    public decimal IndexShare { get; init; }

    /// <summary>Bytes of a blob on average.</summary>
    public long BlobBytes { get; init; }

    /// <summary>The share of records that carry a blob.</summary>
    public decimal BlobShare { get; init; }

    /// <summary>Copies of each blob; 1.5 for erasure coding with 4 parts of parity for 8 of data. Null: as records.</summary>
    public decimal? BlobReplicas { get; init; }

    /// <summary>Highest rate as a multiple of the average.</summary>
    public decimal PeakFactor { get; init; } = 3;

    /// <summary>How much of the write-ahead log is kept; zero for none.</summary>
    public TimeSpan LogKept { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Space for merging tables (or bloat), as a share of records and indexes.</summary>
    public decimal CompactionShare { get; init; } = 0.3m;

    /// <summary>Bytes that the audit log keeps of each write.</summary>
    public long AuditBytes { get; init; }

    /// <summary>How long it keeps them. Null: as long as records.</summary>
    public TimeSpan? AuditRetention { get; init; }

    /// <summary>The share of the disks that stays empty.</summary>
    public decimal FreeShare { get; init; } = 0.2m;

    /// <summary>Full backups of records and indexes that are kept.</summary>
    public int Backups { get; init; } = 1;

    /// <summary>Full backups of blobs that are kept. Null: as of records.</summary>
    public int? BlobBackups { get; init; }

    /// <summary>The node that is asked what binds first.</summary>
    public NodeLimits Node { get; init; } = new();

    internal decimal BytesOfRecord => Schema?.RecordBytes ?? RecordBytes!.Value;

    internal decimal IndexBytesOfRecord => Schema?.IndexBytes ?? (BytesOfRecord * IndexShare);

    internal bool HasBlobs => BlobBytes > 0 && BlobShare > 0;

    internal void Validate()
    {
        Reckoning.Require(RecordBytes is not null || Schema is not null, "record", "give --record or --schema");
        Reckoning.Require(
            RecordBytes is null || Schema is null, "schema", "it says what a record is, and so does --record: give one of them");
        Reckoning.Require(RecordBytes is null or > 0, "record", "a record has 1 byte or more");
        Reckoning.Require(Schema is null || IndexShare == 0, "index", "the schema says what its indexes are: give them there");
        Reckoning.Require(Writes is { Count: > 0, PeriodSeconds: > 0 }, "records", "more than 0 are needed");
        Reckoning.Require(Reads is null or { Count: > 0, PeriodSeconds: > 0 }, "reads", "more than 0 are needed");
        Reckoning.Require(Retention > TimeSpan.Zero, "retention", "it is longer than 0");
        Reckoning.Require(Replicas is > 0 and <= 100, "replicas", "expected 1 to 100");
        Reckoning.Require(IndexShare is >= 0 and <= 100, "index", "expected 0 % to 10,000 %");
        Reckoning.Require(BlobBytes >= 0, "blob", "a size is not negative");
        Reckoning.Require(BlobShare is >= 0 and <= 1, "blob-fraction", "expected 0 % to 100 %");
        Reckoning.Require(BlobBytes > 0 || BlobShare == 0, "blob", "give the size of the blobs, too");
        Reckoning.Require(BlobShare > 0 || BlobBytes == 0, "blob-fraction", "give the share of records that carry a blob, too");
        Reckoning.Require(BlobReplicas is null or (>= 1 and <= 100), "blob-replicas", "expected 1 to 100");
        Reckoning.Require(PeakFactor is >= 1 and <= 10_000, "peak", "expected 1 to 10,000");
        Reckoning.Require(LogKept >= TimeSpan.Zero, "wal", "a time is not negative");
        Reckoning.Require(CompactionShare is >= 0 and <= 100, "compaction", "expected 0 % to 10,000 %");
        Reckoning.Require(AuditBytes >= 0, "audit", "a size is not negative");
        Reckoning.Require(AuditRetention is null || AuditRetention > TimeSpan.Zero, "audit-retention", "it is longer than 0");
        Reckoning.Require(FreeShare is >= 0 and < 1, "free", "expected 0 % or more, and less than 100 %");
        Reckoning.Require(Backups is >= 0 and <= 10_000, "backups", "expected 0 to 10,000");
        Reckoning.Require(BlobBackups is null or (>= 0 and <= 10_000), "blob-backups", "expected 0 to 10,000");
        Reckoning.Require(Node.SizeBytes > 0, "node-size", "it is larger than 0");
        Reckoning.Require(Node.Operations is { Count: > 0, PeriodSeconds: > 0 }, "node-operations", "more than 0 are needed");
        Reckoning.Require(Node.BytesPerSecond > 0, "node-bandwidth", "it is more than 0");
    }
}
