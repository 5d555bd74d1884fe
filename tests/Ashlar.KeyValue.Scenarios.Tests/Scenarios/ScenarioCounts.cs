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

    /// <summary>Writes whose conditions held.</summary>
    public long MetConditions { get; set; }

    /// <summary>Writes whose conditions did not hold.</summary>
    public long UnmetConditions { get; set; }

    /// <summary>Keyspaces that were made.</summary>
    public long OpenedKeyspaces { get; set; }

    /// <summary>Keyspaces that were dropped.</summary>
    public long DroppedKeyspaces { get; set; }

    /// <summary>Batches with entries of keyspaces.</summary>
    public long KeyspaceWrites { get; set; }

    /// <summary>Transactions that were committed while others wrote.</summary>
    public long Commits { get; set; }

    /// <summary>Transactions that were in conflict.</summary>
    public long Conflicts { get; set; }

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
        MetConditions = a.MetConditions + b.MetConditions,
        UnmetConditions = a.UnmetConditions + b.UnmetConditions,
        OpenedKeyspaces = a.OpenedKeyspaces + b.OpenedKeyspaces,
        DroppedKeyspaces = a.DroppedKeyspaces + b.DroppedKeyspaces,
        KeyspaceWrites = a.KeyspaceWrites + b.KeyspaceWrites,
        Commits = a.Commits + b.Commits,
        Conflicts = a.Conflicts + b.Conflicts,
    };
}
