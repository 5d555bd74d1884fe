using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>What the log says of snapshots, with the address of who asked for it.</summary>
static class SnapshotEvents
{
    /// <summary>Who acts where a schedule does.</summary>
    public const string Schedule = "its schedule";

    public static LogEntry Created(string pool, string volume, SnapshotInfo snapshot, string by) =>
        Of(LogEvents.SnapshotCreated, pool, volume, snapshot, by, $"taken of {snapshot.SizeBytes} bytes");

    public static LogEntry Renamed(string pool, string volume, SnapshotInfo snapshot, string before, string by) =>
        Of(LogEvents.SnapshotRenamed, pool, volume, snapshot, by, $"renamed from {before}");

    public static LogEntry Deleted(string pool, string volume, SnapshotInfo snapshot, string by) =>
        Of(LogEvents.SnapshotDeleted, pool, volume, snapshot, by, "deleted");

    public static LogEntry Restored(string pool, string volume, SnapshotInfo snapshot, string by) =>
        Of(LogEvents.SnapshotRestored, pool, volume, snapshot, by, "the volume is as it was then");

    public static LogEntry Imported(string pool, string volume, SnapshotInfo snapshot, string by) =>
        Of(LogEvents.SnapshotImported, pool, volume, snapshot, by, $"imported: {snapshot.SizeBytes} bytes");

    public static LogEntry Cloned(string pool, string volume, SnapshotInfo snapshot, VolumeInfo clone, string by) => new(
        LogLevel.Information,
        LogEvents.VolumeCreated,
        $"volume {pool}/{clone.Name}: created as a clone of {volume}@{snapshot.Name}, {clone.SizeBytes} bytes, by {by}")
    {
        Pool = pool,
        Volume = $"{pool}/{clone.Name}",
        Address = by,
        SizeBytes = clone.SizeBytes,
    };

    public static LogEntry Flattened(string pool, VolumeInfo clone, string origin, string by) => new(
        LogLevel.Information,
        LogEvents.VolumeFlattened,
        $"volume {pool}/{clone.Name}: shares nothing with {origin} any more, by {by}")
    {
        Pool = pool,
        Volume = $"{pool}/{clone.Name}",
        Address = by,
        SizeBytes = clone.SizeBytes,
    };

    public static LogEntry ScheduleFailed(string pool, string volume, string why) =>
        new(LogLevel.Warning, LogEvents.SnapshotScheduleFailed, $"volume {pool}/{volume}: no snapshot by its schedule: {why}")
        {
            Pool = pool,
            Volume = $"{pool}/{volume}",
        };

    static LogEntry Of(string name, string pool, string volume, SnapshotInfo snapshot, string by, string what) =>
        new(LogLevel.Information, name, $"snapshot {pool}/{volume}@{snapshot.Name}: {what}, by {by}")
        {
            Pool = pool,
            Volume = $"{pool}/{volume}",
            Address = by == Schedule ? null : by,
            SizeBytes = snapshot.SizeBytes,
        };
}
