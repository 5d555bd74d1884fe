using System.Globalization;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>What an operator should do something about, before it hurts where that is possible: a sentence each, with what to do.</summary>
static class PoolWarnings
{
    const int MaxNamed = 5;

    public static IReadOnlyList<string> Of(
        string pool, PoolUsage usage, PoolSettings thresholds, PoolStatistics statistics, PoolDamage damage, TimeSpan? untilFull = null) =>
        [.. OfWriting(pool, statistics), .. OfData(pool, statistics, damage), .. OfSpace(pool, usage, thresholds, untilFull)];

    static IEnumerable<string> OfWriting(string pool, PoolStatistics statistics)
    {
        if (statistics.Failure is { } failure)
            yield return $"pool {pool} refuses writes until the server is started again: {failure.Message}";
        if (statistics.IsMapDiskFull)
        {
            yield return $"pool {pool}: the file system below has no room for the pool's map, so writes that need new space are refused; "
                + "free space on it, trim volumes, or delete volumes or snapshots";
        }
    }

    static IEnumerable<string> OfData(string pool, PoolStatistics statistics, PoolDamage damage)
    {
        foreach (var each in damage.First) yield return each;
        var least = damage.IsCut ? "at least " : "";
        if (damage.Blocks > 0)
        {
            yield return $"pool {pool} has {least}{Count(damage.Blocks, "damaged block")} that requests have met, "
                + $"{Of(damage.VolumesWithBlocks)}; "
                + "the log names each once; restore from a copy, or overwrite as a whole";
        }
        if (damage.MapPieces > 0)
        {
            yield return $"pool {pool} has {least}{Count(damage.MapPieces, "damaged piece")} of its map that requests have met, "
                + $"{Of(damage.VolumesWithMapPieces)}; the log names each once; restore that MiB from a copy, or discard or overwrite "
                + "it as a whole";
        }
        if (statistics.UnverifiedBlocks is > 0 and var unverified)
        {
            yield return $"pool {pool} holds {Count(unverified, "unverified block")}, overwritten just before the last unclean stop: old, "
                + "new or torn; check the file systems of the volumes for which 'ashlar volume show' lists them";
        }
    }

    public static IEnumerable<string> OfSpace(string pool, PoolUsage usage, PoolSettings thresholds, TimeSpan? untilFull = null)
    {
        var fullness = SpaceShortages.Fullness(usage);
        if (SpaceShortages.Of(usage with { FreeSpaceBelowBytes = null }, thresholds) != SpaceShortage.None)
        {
            var when = untilFull is { } time && usage.FreeBytes > 0 ? $", in {RoundTime.Format(time)} at the present rate" : "";
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"pool {pool} is {fullness:P0} full; writes fail when it is full{when}; trim volumes, or delete volumes or snapshots");
        }
        if (OfSpaceBelow(pool, usage) is { } below) yield return below;
    }

    /// <summary>That the pool can take more than the file system below has; null when it cannot.</summary>
    public static string? OfSpaceBelow(string pool, PoolUsage usage)
    {
        if (usage is not { IsLargerThanSpaceBelow: true, FreeSpaceBelowBytes: { } below }) return null;
        return $"pool {pool} promises {BinarySize.Format(usage.UnallocatedBytes)} more, but the file system below has "
            + $"{BinarySize.Format(below)} free; writes to thin volumes fail when that is used up; "
            + "free space on it, trim volumes, or delete volumes or snapshots";
    }

    static string Count(long count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    static string Of(IReadOnlyList<string> volumes) => volumes.Count switch
    {
        0 => "of volumes that are gone",
        1 => $"of volume {volumes[0]}",
        <= MaxNamed => $"of volumes {string.Join(", ", volumes)}",
        _ => $"of volumes {string.Join(", ", volumes.Take(MaxNamed))} and {volumes.Count - MaxNamed} more",
    };
}
