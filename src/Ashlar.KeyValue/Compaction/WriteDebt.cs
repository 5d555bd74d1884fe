using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// How far the background is behind, in shares of what stops writers: 0 and below is nothing to speak of, 1 is the stop.
/// </summary>
/// <param name="MemTables">Full memtables that wait, without the one that is being written.</param>
/// <param name="LevelZero">Tables that reads of any key have to ask.</param>
/// <param name="Merges">Bytes that levels hold above their targets, or deleted ranges that merges have to take out of tables.</param>
/// <param name="Bytes">Bytes that wait: to be written to tables, and to be merged.</param>
sealed record WriteDebt(int MemTables, double LevelZero, double Merges, long Bytes)
{
    /// <summary>Full memtables beside the one that is being written.</summary>
    public const int MaxMemTables = 2;

    /// <summary>So much of a memtable beside one that waits does not slow writers yet.</summary>
    const double FreeMemTables = 0.5;

    /// <summary>Level 0 slows writers from twice the number of tables that start a merge on, and stops them at five times.</summary>
    public const int SlowLevelZero = 2, MaxLevelZero = 5;

    /// <summary>With so many deleted ranges in tables writers are as slow as it gets.</summary>
    const int MaxRanges = 8 * CompactionPicker.ManyRanges;

    /// <summary>The one debt that stops nobody.</summary>
    public SpaceDebt Space { get; init; }

    public static WriteDebt None { get; } = new(0, 0, 0, 0);

    /// <summary>Measures it.</summary>
    /// <param name="version">What there is.</param>
    /// <param name="batchBytes">Bytes of level 0 that start a merge.</param>
    /// <param name="levelZeroTables">Tables of level 0 that start a merge.</param>
    /// <param name="oldestReadable">Deleted ranges above this sequence stay as long as somebody reads below: they slow nobody.</param>
    public static WriteDebt Measure(StoreVersion version, long batchBytes, int levelZeroTables, ulong oldestReadable)
    {
        var tables = version.Tables;
        Span<long> sizes = stackalloc long[tables.Levels.Length];
        for (var level = 0; level < sizes.Length; level++) sizes[level] = tables.LevelBytes(level);
        var targets = LevelTargets.Compute(sizes, batchBytes);
        long total = 0, excess = 0;
        for (var level = 1; level < sizes.Length; level++)
        {
            total += sizes[level];
            excess += Math.Max(0, sizes[level] - targets[level]);
        }

        // Starts late: when a level is added, the ones above it shrink by moves, which costs little.
        var merges = (excess - (0.5 * total) - (8.0 * batchBytes)) / (total + (32.0 * batchBytes));
        var ranges = version.Tables.Ranges?.CountUpTo(oldestReadable) ?? 0;
        merges = Math.Max(merges, (double)(ranges - CompactionPicker.ManyRanges) / (MaxRanges - CompactionPicker.ManyRanges));
        var waiting = 0L;
        foreach (var table in version.Immutable) waiting += table.UsedBytes;
        var count = tables.LevelZero.Length;
        return new WriteDebt(
            version.Immutable.Length,
            (double)(count - (SlowLevelZero * levelZeroTables)) / ((MaxLevelZero - SlowLevelZero) * levelZeroTables),
            merges,
            waiting + excess + (count >= levelZeroTables ? sizes[0] : 0));
    }

    /// <summary>
    /// The same for memtables, with the one that is being written: from the first that waits on, up to all full.
    /// </summary>
    public double MemTableShare(double activeShare) =>
        MemTables == 0 ? 0 : (MemTables + Math.Min(1, activeShare) - FreeMemTables) / (MaxMemTables + 1 - FreeMemTables);

    /// <summary>
    /// The time that each byte has to take: none without debt, what the background needs for it when half of the way to
    /// the stop is gone, more and more from there. Writers and background so meet before the stop, wherever that is.
    /// </summary>
    /// <param name="share">How much of the way to the stop is gone.</param>
    /// <param name="bytesPerSecond">What the background can take.</param>
    public static double SecondsPerByte(double share, double bytesPerSecond)
    {
        const double Most = 0.999; // The stop itself is no matter of time.
        share = Math.Clamp(share, 0, Most);
        return share / ((1 - share) * bytesPerSecond);
    }
}

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
    public const double MaxShare = 0.9;

    /// <summary>Measures files against what they are to be kept to.</summary>
    public static SpaceDebt Of(double usedBytes, double allowedBytes)
    {
        var excess = usedBytes - (FreeOvershoot * allowedBytes);
        if (!(excess > 0)) return default;
        return new((long)excess, Math.Min(MaxShare, excess / ((FullOvershoot - FreeOvershoot) * allowedBytes)));
    }
}
