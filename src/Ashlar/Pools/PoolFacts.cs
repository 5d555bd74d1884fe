using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Facts of a pool that stand there only while they hold.</summary>
static class PoolFacts
{
    /// <summary>How it is: "ok" or "degraded", or that it cannot be used.</summary>
    public static string Health(Pool pool) => pool.State != PoolStates.Available ? pool.State
        : pool.Raid is { State: PoolRaidStates.Rebuilding } raid ? $"{pool.Health}, rebuilding{Done(raid.DoneBytes, raid.TotalBytes)}"
        : pool.Health;

    /// <summary>The RAID set that it lies on; null where there is none.</summary>
    public static string? Raid(Pool pool) => pool.Raid is not { } raid ? null
        : $"{raid.Level}{(raid.State is { } state ? $", {state}" : "")}{Done(raid.DoneBytes, raid.TotalBytes)}{Left(raid.SecondsLeft)}"
            + (raid.UnusedBytes is { } unused ? $"; its devices have room for {ByteSize.Format(unused)} more" : "");

    /// <summary>What it lies on.</summary>
    public static IEnumerable<(string Label, string Value)> Devices(Pool pool) =>
        pool.Devices.Select((device, i) => (i > 0 ? "" : pool.Devices.Count == 1 ? "Device" : "Devices", Device(device)));

    static string Device(PoolDeviceInfo device) => (device.Path.Length > 0 ? device.Path : $"member {device.Place}")
        + (device.IsLeaving is true ? " (leaving)" : "")
        + (device.State is { } state ? $": {state}" : "")
        + Done(device.DoneBytes, device.TotalBytes)
        + Left(device.SecondsLeft)
        + (device.Error is { } error ? $", {ScreenText.Of(error)}" : "");

    static string Done(long? done, long? total) =>
        (done, total) is ({ } part, > 0 and { } whole) ? $" {Percentage.Format(part, whole)}" : "";

    static string Left(long? seconds) => seconds is { } left ? $", {Duration.Format(TimeSpan.FromSeconds(left))} left" : "";

    /// <summary>When it will be full.</summary>
    public static string FullIn(Pool pool) => pool.SecondsUntilFull is { } seconds
        ? $"{Duration.Format(TimeSpan.FromSeconds(seconds))}, if its use goes on as in the last four hours"
        : "unknown";

    /// <summary>What is free, and that the file system below is why it is no more.</summary>
    public static string Free(Pool pool) => ByteSize.Format(pool.FreeBytes)
        + (pool.FreeBytes - pool.TrashBytes < pool.CapacityBytes - pool.AllocatedBytes
            ? ", which is what the file system below has free"
            : "");

    /// <summary>What the file system below has.</summary>
    public static string SpaceBelow(Pool pool) => pool.FreeSpaceBelowBytes is { } below ? $"{ByteSize.Format(below)} free" : "not known";

    /// <summary>What is in the trash, and for how long.</summary>
    public static string Trash(Pool pool)
    {
        var kept = $"deleted volumes {VolumeDescriptionOptions.FormatTrash(pool.TrashSeconds)}";
        if (pool.TrashCount == 0) return $"empty; {kept}";
        var count = pool.TrashCount.ToString(CultureInfo.InvariantCulture);
        var volumes = pool.TrashCount == 1 ? "volume" : "volumes";
        return $"{count} {volumes} with {ByteSize.Format(pool.TrashBytes)}, taken when space is needed; {kept}";
    }

    /// <summary>What goes on in the background.</summary>
    public static IEnumerable<(string Label, string Value)> Running(Pool pool)
    {
        if (pool.Check is { } check)
        {
            yield return ("Check", "of what was being overwritten at the last unclean stop: "
                + (check.TotalBytes == 0 ? "begins" : Progress(check.DoneBytes, check.TotalBytes)));
        }
        if (pool.Deletions is { } deletions)
        {
            var volumes = deletions.Volumes.ToString(CultureInfo.InvariantCulture);
            yield return (
                "Deleting",
                $"{volumes} {(deletions.Volumes == 1 ? "volume" : "volumes")}, given back "
                    + $"{Progress(deletions.FreedBytes, deletions.TotalBytes)}");
        }
    }

    public static string Progress(long done, long total) => $"{ByteSize.Format(done)} of {ByteSize.Format(total)}";
}
