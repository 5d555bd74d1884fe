using System.Globalization;
using Ashlar.Blocks;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>What the log says of volumes that were created, changed and deleted, with the address of who asked for it.</summary>
static class VolumeEvents
{
    public static LogEntry Created(string pool, VolumeInfo volume, string by) => Of(
        LogEvents.VolumeCreated,
        pool,
        volume,
        by,
        $"created: {volume.SizeBytes} bytes, {(volume.IsThick ? "thick" : "thin")}, blocks of {volume.BlockSizeBytes} bytes");

    public static LogEntry Renamed(string pool, VolumeInfo volume, string before, string by) =>
        Of(LogEvents.VolumeRenamed, pool, volume, by, $"renamed from {before}");

    public static LogEntry Resized(string pool, VolumeInfo volume, long beforeBytes, string by) => Of(
        LogEvents.VolumeResized,
        pool,
        volume,
        by,
        $"{(volume.SizeBytes > beforeBytes ? "grown" : "shrunk")} from {beforeBytes} to {volume.SizeBytes} bytes");

    public static LogEntry Limited(string pool, VolumeInfo volume, RateLimits limits, string by) => Of(
        LogEvents.VolumeLimited,
        pool,
        volume,
        by,
        $"limits changed: {Describe(limits.Iops, "requests")}, {Describe(limits.BytesPerSecond, "bytes")}");

    public static LogEntry Scheduled(string pool, VolumeInfo volume, SnapshotRetention retention, string by) => Of(
        LogEvents.VolumeScheduled,
        pool,
        volume,
        by,
        retention.IsNone
            ? "no snapshots by themselves any more"
            : $"snapshots by themselves: {retention.Hourly} hourly, {retention.Daily} daily, {retention.Weekly} weekly, "
                + $"{retention.Monthly} monthly");

    public static LogEntry Deleted(string pool, VolumeInfo volume, bool isForced, string by) => Of(
        LogEvents.VolumeDeleted,
        pool,
        volume,
        by,
        $"deleted{(isForced ? " by force" : "")}: {volume.AllocatedBytes} of {volume.SizeBytes} bytes were in use");

    public static LogEntry Trashed(string pool, TrashedVolume trashed, bool isForced, string by) => Of(
        LogEvents.VolumeTrashed,
        pool,
        trashed.Volume,
        by,
        $"deleted{(isForced ? " by force" : "")}, in the trash until {Api.Rfc3339.Format(trashed.ExpiresAt)}: "
        + $"{trashed.Volume.AllocatedBytes} of {trashed.Volume.SizeBytes} bytes are in use");

    public static LogEntry Restored(string pool, VolumeInfo volume, string by) =>
        Of(LogEvents.VolumeRestored, pool, volume, by, $"restored from the trash, {volume.Id}");

    public static LogEntry Purged(string pool, TrashedVolume trashed, string by) => Of(
        LogEvents.VolumeDeleted,
        pool,
        trashed.Volume,
        by,
        $"deleted from the trash, {trashed.Volume.Id}: {trashed.Volume.AllocatedBytes} of {trashed.Volume.SizeBytes} bytes were in use");

    public static LogEntry Described(string pool, VolumeInfo volume, string by) =>
        Of(LogEvents.VolumeDescribed, pool, volume, by, "description, labels or time in the trash changed");

    static LogEntry Of(string name, string pool, VolumeInfo volume, string by, string what) =>
        new(LogLevel.Information, name, $"volume {pool}/{volume.Name}: {what}, by {by}")
        {
            Pool = pool,
            Volume = $"{pool}/{volume.Name}",
            Address = by,
            SizeBytes = volume.SizeBytes,
        };

    static string Describe(long? limit, string unit) => limit is null
        ? $"{unit} without a limit"
        : string.Create(CultureInfo.InvariantCulture, $"{limit} {unit} a second");
}
