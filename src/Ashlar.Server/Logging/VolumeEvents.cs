using System.Globalization;
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

    /// <summary>An entry for each thing that has changed; none for what stayed as it was.</summary>
    public static IEnumerable<LogEntry> Changed(string pool, VolumeInfo before, VolumeInfo after, string by)
    {
        if (after.Name != before.Name)
            yield return Of(LogEvents.VolumeRenamed, pool, after, by, $"renamed from {before.Name}");
        if (after.SizeBytes != before.SizeBytes)
        {
            var how = after.SizeBytes > before.SizeBytes ? "grown" : "shrunk";
            yield return Of(
                LogEvents.VolumeResized, pool, after, by, $"{how} from {before.SizeBytes} to {after.SizeBytes} bytes");
        }
        if (after.Limits != before.Limits)
        {
            yield return Of(
                LogEvents.VolumeLimited,
                pool,
                after,
                by,
                $"limits changed: {Describe(after.Limits.Iops, "requests")}, {Describe(after.Limits.BytesPerSecond, "bytes")}");
        }
    }

    public static LogEntry Deleted(string pool, VolumeInfo volume, bool isForced, string by) => Of(
        LogEvents.VolumeDeleted,
        pool,
        volume,
        by,
        $"deleted{(isForced ? " by force" : "")}: {volume.AllocatedBytes} of {volume.SizeBytes} bytes were in use");

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
