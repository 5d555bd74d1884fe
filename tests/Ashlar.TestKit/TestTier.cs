namespace Ashlar.TestKit;

/// <summary>
/// How far tests go that could go on for ever: by default as far as every change is worth, with <c>ASHLAR_TIER=deep</c> as far as a
/// release is.
/// </summary>
public static class TestTier
{
    /// <summary>Whether this is the deep tier.</summary>
    public static bool IsDeep { get; } = Environment.GetEnvironmentVariable("ASHLAR_TIER") is { Length: > 0 } tier
        && (tier == "deep" ? true : throw new ArgumentException($"ASHLAR_TIER is '{tier}'; there is only 'deep'."));

    /// <summary>One value for each tier.</summary>
    public static T Choose<T>(T normal, T deep) => IsDeep ? deep : normal;
}
