using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>How short the space of a pool is.</summary>
enum SpaceShortage
{
    /// <summary>There is enough.</summary>
    None = 0,

    /// <summary>There is time to do something about it.</summary>
    Soft,

    /// <summary>There is hardly any left.</summary>
    Hard,
}

/// <summary>From when on space is short.</summary>
static class SpaceShortages
{
    // It is over only when there is a little more again, or a pool at the threshold would be told of again and again.
    const double Ease = 0.05;

    const double Tolerance = 1e-9;

    const long LowBytes = 1L << 30;
    const double LowShare = 0.05;

    /// <summary>How short it is now.</summary>
    /// <param name="usage">What the pool has.</param>
    /// <param name="thresholds">How full is too full.</param>
    /// <param name="before">How short it was when somebody looked last.</param>
    public static SpaceShortage Of(PoolUsage usage, PoolSettings thresholds, SpaceShortage before = SpaceShortage.None)
    {
        var reached = Of(Fullness(usage), IsLowBelow(usage), thresholds);
        if (reached >= before) return reached;
        var eased = Of(Fullness(usage) + Ease, IsLowBelow(usage), thresholds);
        return eased < before ? eased : before;
    }

    /// <summary>How full it is; the trash gives way, and does not count.</summary>
    public static double Fullness(PoolUsage usage) =>
        usage.CapacityBytes == 0 ? 1 : (double)(usage.AllocatedBytes - usage.TrashBytes) / usage.CapacityBytes;

    /// <summary>Whether the file system below has little, and less than the pool promises.</summary>
    public static bool IsLowBelow(PoolUsage usage)
    {
        var low = Math.Max(LowBytes, (long)(usage.UnallocatedBytes * LowShare));
        return usage.FreeSpaceBelowBytes is { } below && below < usage.UnallocatedBytes && below < low;
    }

    // What is rounded on the way is no reason to be late.
    static SpaceShortage Of(double fullness, bool isLowBelow, PoolSettings thresholds) =>
        isLowBelow || fullness * 100 >= thresholds.HardPercent - Tolerance ? SpaceShortage.Hard
        : fullness * 100 >= thresholds.SoftPercent - Tolerance ? SpaceShortage.Soft
        : SpaceShortage.None;
}
