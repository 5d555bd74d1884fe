namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>What scenarios met.</summary>
sealed record ScenarioCounts
{
    /// <summary>Writes that were refused.</summary>
    public long Refused { get; set; }

    /// <summary>Other operations that failed.</summary>
    public long Failed { get; set; }

    public long FailedToClose { get; set; }

    public long MovedValueBytes { get; set; }

    public long Backups { get; set; }

    public long DeletedBackups { get; set; }

    public long PrunedParts { get; set; }

    public long Restored { get; set; }

    public long Repaired { get; set; }

    public long Reads { get; set; }

    public long RangeDeletes { get; set; }

    public static ScenarioCounts operator +(ScenarioCounts a, ScenarioCounts b) => new()
    {
        Refused = a.Refused + b.Refused,
        Failed = a.Failed + b.Failed,
        FailedToClose = a.FailedToClose + b.FailedToClose,
        MovedValueBytes = a.MovedValueBytes + b.MovedValueBytes,
        Backups = a.Backups + b.Backups,
        DeletedBackups = a.DeletedBackups + b.DeletedBackups,
        PrunedParts = a.PrunedParts + b.PrunedParts,
        Restored = a.Restored + b.Restored,
        Repaired = a.Repaired + b.Repaired,
        Reads = a.Reads + b.Reads,
        RangeDeletes = a.RangeDeletes + b.RangeDeletes,
    };
}
