namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// How large each level may grow, derived from what the store holds. Level 1 takes about what one merge of level 0 brings, so
/// that the merge rewrites no more than it adds; the levels below grow by one factor, chosen so that the deepest one, which
/// has no target, holds the rest. An index of pointers, whose tables are small, gets as many levels as its size needs, not as
/// the memory for writes would suggest.
/// </summary>
static class LevelTargets
{
    const double LargestFactor = 8;
    const double SmallestFactor = 2;

    /// <summary>The sizes from which on levels are merged into the next.</summary>
    /// <param name="levelBytes">Sizes of all levels.</param>
    /// <param name="batchBytes">Bytes of level 0 that start a merge.</param>
    /// <returns>One per level; level 0 and the deepest have none.</returns>
    public static long[] Compute(ReadOnlySpan<long> levelBytes, long batchBytes)
    {
        var targets = new long[levelBytes.Length];
        targets.AsSpan().Fill(long.MaxValue);
        var total = 0L;
        var deepestUsed = 1;
        for (var level = 1; level < levelBytes.Length; level++)
        {
            total += levelBytes[level];
            if (levelBytes[level] > 0) deepestUsed = level;
        }

        var ratio = (double)total / Math.Max(1, batchBytes);
        var deepest = 1;
        for (var reach = SmallestFactor; reach < ratio && deepest < levelBytes.Length - 1; deepest++)
            reach = Math.Pow(LargestFactor, deepest);
        deepest = Math.Max(deepest, deepestUsed);
        if (deepest == 1) return targets;
        var factor = Math.Clamp(Math.Pow(ratio, 1.0 / (deepest - 1)), SmallestFactor, LargestFactor);
        var target = (double)Math.Max(1, batchBytes);
        for (var level = 1; level < deepest; level++, target *= factor) targets[level] = (long)target;
        return targets;
    }
}
