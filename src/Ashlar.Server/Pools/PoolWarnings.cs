using System.Globalization;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>What an operator should do something about, before it hurts where that is possible: a sentence each, with what to do.</summary>
static class PoolWarnings
{
    public static IReadOnlyList<string> Of(string pool, PoolUsage usage, PoolStatistics statistics, PoolDamage damage) =>
        [.. OfWriting(pool, statistics), .. OfData(pool, statistics, damage), .. OfSpace(pool, usage)];

    static IEnumerable<string> OfWriting(string pool, PoolStatistics statistics)
    {
        if (statistics.Failure is { } failure)
            yield return $"pool {pool} refuses writes until the server is started again: {failure.Message}";
        if (statistics.IsMapDiskFull)
        {
            yield return $"pool {pool}: the file system below has no room for the pool's map, so writes that need new space are refused; "
                + "free space on it, or trim or delete volumes";
        }
    }

    static IEnumerable<string> OfData(string pool, PoolStatistics statistics, PoolDamage damage)
    {
        foreach (var each in damage.First) yield return each;
        if (damage.Blocks > 0)
        {
            yield return $"pool {pool} has {Count(damage.Blocks, "damaged block")} that requests have met; the log names each once; "
                + "restore them from a copy, or overwrite them whole";
        }
        if (damage.MapPieces > 0)
        {
            yield return $"pool {pool} has {Count(damage.MapPieces, "damaged piece")} of its map that requests have met; the log names each once; "
                + "restore these MiB from a copy, or discard or overwrite them whole";
        }
        if (statistics.UnverifiedBlocks is > 0 and var unverified)
        {
            yield return $"pool {pool} holds {unverified} unverified blocks: they were being overwritten at the last unclean stop, and may "
                + "be old, new or torn; check the file systems of the volumes for which 'ashlar volume show' lists them";
        }
    }

    static string Count(long count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    public static IEnumerable<string> OfSpace(string pool, PoolUsage usage)
    {
        var fullness = SpaceShortages.Fullness(usage);
        if (fullness >= SpaceShortages.SoftFullness)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture, $"pool {pool} is {fullness:P0} full; writes fail when it is full; trim or delete volumes");
        }
        if (SpaceShortages.IsLowBelow(usage) && usage.FreeSpaceBelowBytes is { } below)
        {
            yield return $"pool {pool} promises {usage.UnallocatedBytes >> 20} MiB more, "
                + $"but the file system below has {below >> 20} MiB free; "
                + "writes fail when these are used up; free space on it, or trim or delete volumes";
        }
    }
}
