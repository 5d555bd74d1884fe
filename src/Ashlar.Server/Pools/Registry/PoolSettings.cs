namespace Ashlar.Server;

/// <summary>What operators have set of a pool.</summary>
sealed record PoolSettings
{
    public const int DefaultSoftPercent = 80, DefaultHardPercent = 90;

    /// <summary>How full it is when it is said for the first time.</summary>
    public int SoftPercent { get; init; } = DefaultSoftPercent;

    /// <summary>How full it is when it is said again.</summary>
    public int HardPercent { get; init; } = DefaultHardPercent;
}
