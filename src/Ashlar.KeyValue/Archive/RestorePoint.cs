using Ashlar.KeyValue.Log;

namespace Ashlar.KeyValue;

/// <summary>A moment of a store's history, to restore it to.</summary>
public readonly record struct RestorePoint
{
    RestorePoint(ulong? sequence, DateTimeOffset? time) => (Sequence, Time) = (sequence, time);

    /// <summary>The newest moment that the archive knows.</summary>
    public static RestorePoint Latest => default;

    /// <summary>
    /// With every write up to this sequence, as far as groups of writes are not divided by it; null if that is not asked for.
    /// </summary>
    public ulong? Sequence { get; }

    /// <summary>With every write that was committed at this time or before; null if that is not asked for.</summary>
    public DateTimeOffset? Time { get; }

    /// <summary>The moment after the write of a sequence; if that was committed in a group with later ones, before the group.</summary>
    public static RestorePoint AtSequence(ulong sequence) => new(sequence, null);

    /// <summary>The last moment that is not later than a time, by the clock of the store.</summary>
    public static RestorePoint AtTime(DateTimeOffset time) => new(null, time.ToUniversalTime());

    /// <summary>Whether a state, or a group of writes, lies at this moment or before.</summary>
    internal bool Includes(ulong lastSequence, long commitTime) =>
        (Sequence is not { } sequence || lastSequence <= sequence) && (Time is not { } time || commitTime <= CommitTime.Of(time));

    /// <inheritdoc />
    public override string ToString() =>
        Sequence is { } sequence ? $"sequence {sequence}" : Time is { } time ? $"{time:yyyy-MM-dd HH:mm:ss.ffffff}Z" : "the newest write";
}

/// <summary>What a restore to a moment has made.</summary>
public sealed record RestoredPoint
{
    /// <summary>The backup that it began with.</summary>
    public required ulong BackupNumber { get; init; }

    /// <summary>The restored store holds every write up to this sequence, and none behind it.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>When the newest group of writes in it was committed in the original.</summary>
    public required DateTimeOffset CommittedAt { get; init; }

    /// <summary>Parts of the archive that were read.</summary>
    public required int Parts { get; init; }

    /// <summary>Bytes of log that were applied to the backup.</summary>
    public required long ArchiveBytes { get; init; }

    /// <summary>The new history.</summary>
    public required Guid HistoryId { get; init; }
}
