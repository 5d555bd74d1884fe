namespace Ashlar.Api;

/// <summary>How volumes are reached through a portal.</summary>
public static class PortalAccess
{
    /// <summary>By the best path.</summary>
    public const string Optimized = "optimized";

    /// <summary>By a path that others are preferred to.</summary>
    public const string NonOptimized = "non-optimized";

    /// <summary>Not, while the path waits until it is needed.</summary>
    public const string Standby = "standby";

    /// <summary>Not.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>All of them, the best first.</summary>
    public static IReadOnlyList<string> All { get; } = [Optimized, NonOptimized, Standby, Unavailable];
}
