namespace Ashlar.KeyValue.Compaction;

/// <summary>How far files are beyond what collection of values is to keep them to, as far as it can do something about that.</summary>
/// <param name="ExcessBytes">Bytes that slow writers; 0 while files are within what a batch may take on its way.</param>
/// <param name="Share">
/// The same as a share of the way to the slowest: 0 slows nobody. Never 1: for space alone nobody is stopped, because what makes it may
/// not come about.
/// </param>
readonly record struct SpaceDebt(long ExcessBytes, double Share)
{
    /// <summary>A batch writes what is live anew before it frees anything: so much of what is allowed slows nobody.</summary>
    public const double FreeOvershoot = 1.15;

    /// <summary>At so much of what is allowed a writer has all of the delay there is.</summary>
    public const double FullOvershoot = 1.45;

    /// <summary>
    /// At most: a writer then has a ninth of what collection frees. Half would do to keep files from growing, where it frees what it
    /// was expected to.
    /// </summary>
    public const double MostShare = 0.9;

    /// <summary>Measures files against what they are to be kept to.</summary>
    public static SpaceDebt Of(double usedBytes, double allowedBytes)
    {
        var excess = usedBytes - (FreeOvershoot * allowedBytes);
        if (!(excess > 0)) return default;
        return new((long)excess, Math.Min(MostShare, excess / ((FullOvershoot - FreeOvershoot) * allowedBytes)));
    }
}
