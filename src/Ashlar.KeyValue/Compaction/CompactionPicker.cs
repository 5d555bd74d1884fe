using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Decides which tables to merge: pure, from a set of tables.</summary>
/// <remarks>
/// What can go without being read goes first: it costs an edit. Then the level that exceeds its share the most, level 0 by its number of
/// tables, deeper ones by bytes. Within a level the table goes that rewrites the least below it per byte of its own. If no level is too
/// large, tables go that consist mostly of tombstones, or of what has expired and is as good as those: down to where the tombstones meet
/// nothing more and vanish, with what they shadow. Then tables that lie in a deleted range and hold something newer as well.
/// </remarks>
sealed class CompactionPicker(KeyValueOptions options)
{
    /// <summary>
    /// From this share of tombstones on, expired entries among them, a table is merged without its level being too large.
    /// </summary>
    const double DenseTombstones = 0.3;

    /// <summary>
    /// So many deleted ranges cost readers little, and most go without a merge of their own. With more, tables are rewritten for them
    /// that lie at their borders.
    /// </summary>
    const int LazyRanges = 64;

    /// <summary>With more deleted ranges they come before levels that are too large: each read of a key searches them.</summary>
    public const int ManyRanges = 1024;

    /// <summary>
    /// A table that refers to more than so many times its own length is rewritten for any range that it may lie in with a part: what that
    /// takes is little beside what the part may keep.
    /// </summary>
    const int ReferringBytesPerByte = 8;

    /// <summary>A merge of level 0 that would rewrite more than this times its size waits until level 0 is larger.</summary>
    const int MaxRewrittenPerByte = 10;

    /// <summary>What most needs merging; null if nothing does.</summary>
    /// <param name="tables">What there is.</param>
    /// <param name="batchBytes">Bytes of level 0 that start a merge, as measured.</param>
    /// <param name="readable">
    /// The sequences that readers may read at, ascending: tombstones up to the first may vanish. Who comes later reads at the last or
    /// above it.
    /// </param>
    /// <param name="now">Tells what has expired.</param>
    public CompactionPlan? Pick(TableSet tables, long batchBytes, ReadOnlySpan<ulong> readable, long now)
    {
        if (PickDead(tables, now, readable) is { } dead) return dead;
        if (tables.Ranges?.Count > ManyRanges && PickAtBorders(tables, readable[0]) is { } forRanges) return forRanges;
        var sizes = new long[tables.Levels.Length];
        for (var level = 0; level < sizes.Length; level++) sizes[level] = tables.LevelBytes(level);
        var targets = LevelTargets.Compute(sizes, batchBytes);
        var fullest = 0;
        var highest = (double)tables.LevelZero.Length / options.LevelZeroTables;
        for (var level = 1; level < sizes.Length - 1; level++)
        {
            var score = (double)sizes[level] / targets[level];
            if (score <= highest || score <= 1) continue;
            highest = score;
            fullest = level;
        }

        if (highest < 1) return PickTombstones(tables, readable[0]) ?? PickExpired(tables, now) ?? PickDeleted(tables, readable[0]);
        return fullest == 0 ? PickLevelZero(tables) : PickFrom(tables, fullest);
    }

    /// <summary>Everything, down to the deepest level in use.</summary>
    public static CompactionPlan? PickAll(TableSet tables)
    {
        var inputs = tables.All().ToArray();
        if (inputs.Length == 0) return null;
        return new CompactionPlan(inputs, Math.Max(1, inputs.Max(table => table.Info.Level)));
    }

    /// <summary>Whether so much of a table has expired at a time that it is merged for that.</summary>
    public static bool HasMuchExpired(TableInfo info, long now) =>
        info.Expiry.ExpiredBy(now) is > 0 and var expired && expired + info.TombstoneCount >= DenseTombstones * info.EntryCount;

    /// <summary>
    /// Rewrites a table for the sake of what it refers to: merged with what lies above it, as that has to go down anyway.
    /// </summary>
    public static CompactionPlan PickOnto(TableSet tables, Table table)
    {
        var info = table.Info;
        if (info.Level < 2) return new CompactionPlan([table], info.Level);
        var above = Array.Find(tables.Levels[info.Level - 1], other => other.Info.Overlaps(info.SmallestKey, info.LargestKey));
        return above is null ? new CompactionPlan([table], info.Level) : Plan(tables, [above], info.Level);
    }

    // All of level 0 goes to level 1 at once: an older table left behind would sit above newer entries of its keys.
    CompactionPlan PickLevelZero(TableSet tables)
    {
        var levelZero = tables.LevelZero;
        var plan = Plan(tables, levelZero, 1);
        if (plan.IsMove) return plan;
        var above = tables.LevelBytes(0);
        return plan.Bytes - above > MaxRewrittenPerByte * above && PickWithinLevelZero(levelZero) is { } run ? run : plan;
    }

    // Small tables over a large level 1: they are first merged with each other. Newest first, and never with one that is
    // much larger than all newer ones together, so that an entry is rewritten a logarithmic number of times.
    CompactionPlan? PickWithinLevelZero(Table[] levelZero)
    {
        var bytes = levelZero[0].Info.FileLength;
        var count = 1;
        while (count < levelZero.Length && levelZero[count].Info.FileLength <= 2 * bytes) bytes += levelZero[count++].Info.FileLength;
        return count >= Math.Max(2, options.LevelZeroTables / 2) ? new CompactionPlan(levelZero[..count], 0) : null;
    }

    static CompactionPlan PickFrom(TableSet tables, int level)
    {
        Table? best = null;
        var minCost = double.MaxValue;
        foreach (var table in tables.Levels[level])
        {
            // A tombstone removes more than itself.
            var info = table.Info;
            var weight = info.FileLength * (1 + ((double)info.TombstoneCount / info.EntryCount));
            var cost = tables.OverlappingBytes(level + 1, info.SmallestKey, info.LargestKey) / weight;
            if (cost >= minCost) continue;
            minCost = cost;
            best = table;
        }

        return Plan(tables, [best!], level + 1);
    }

    // A tombstone that a snapshot does not see yet would still be there afterwards, and be picked for ever.
    static CompactionPlan? PickTombstones(TableSet tables, ulong oldestReadable)
    {
        Table? best = null;
        var maxTombstones = 0L;
        foreach (var table in tables.All())
        {
            var info = table.Info;
            if (info.TombstoneCount < DenseTombstones * info.EntryCount || info.TombstoneCount <= maxTombstones) continue;
            if (info.MaxSequence > oldestReadable) continue;
            maxTombstones = info.TombstoneCount;
            best = table;
        }

        return best is null ? null : PlanDown(tables, best);
    }

    // Each time something of what it was chosen for is gone afterwards, or it lies deeper: so this ends. What has expired vanishes, or
    // where a snapshot or something below it needs a tombstone it becomes one, and gives back its value.
    static CompactionPlan? PickExpired(TableSet tables, long now)
    {
        Table? best = null;
        var maxExpired = 0L;
        foreach (var table in tables.All())
        {
            var expired = table.Info.Expiry.ExpiredBy(now);
            if (expired <= maxExpired || !HasMuchExpired(table.Info, now)) continue;
            maxExpired = expired;
            best = table;
        }

        return best is null ? null : PlanDown(tables, best) with { Now = now };
    }

    // Rewritten where it is, a table holds nothing any more that a range had deleted for everybody: it is not picked again for that range.
    static CompactionPlan? PickDeleted(TableSet tables, ulong oldestReadable)
    {
        if (tables.Ranges is not { } ranges) return null;
        foreach (var table in tables.All())
        {
            var info = table.Info;
            var after = Math.Max(info.MinSequence, info.RangesAppliedThrough);
            if (ranges.CoverAll(info.SmallestKey, info.LargestKey, after, oldestReadable)) return new CompactionPlan([table], info.Level);
        }

        return PickAtBorders(tables, oldestReadable, ranges.Count > LazyRanges ? -1 : ReferringBytesPerByte);
    }

    /// <summary>Rewrites a table that may hold entries of the oldest deleted range; null if none does.</summary>
    /// <param name="tables">What there is.</param>
    /// <param name="oldestReadable">Nobody reads below it.</param>
    /// <param name="referringBytesPerByte">It refers to more values than so many times its own length.</param>
    public static CompactionPlan? PickAtBorders(TableSet tables, ulong oldestReadable, int referringBytesPerByte = -1)
    {
        if (tables.Ranges is not { } ranges) return null;
        foreach (var range in ranges.All)
        {
            if (range.Sequence > oldestReadable) break; // The merge would leave what a snapshot sees.
            foreach (var table in tables.All())
            {
                if (!table.Info.MayHoldDeletedBy(range)) continue;
                if (LiveEstimate.ReferredBytes(table) <= referringBytesPerByte * table.Info.FileLength) continue;
                return new CompactionPlan([table], table.Info.Level);
            }
        }

        return null;
    }

    static CompactionPlan PlanDown(TableSet tables, Table table)
    {
        if (table.Info.Level == 0) return Plan(tables, tables.LevelZero, 1);
        var isBottom = !tables.MayOverlapBelow(table.Info.Level, table.Info.SmallestKey, table.Info.LargestKey);
        return isBottom ? new CompactionPlan([table], table.Info.Level) : Plan(tables, [table], table.Info.Level + 1);
    }

    /// <summary>Tables of which nobody sees anything any more; null if there are none.</summary>
    public static CompactionPlan? PickDead(TableSet tables, long now, ReadOnlySpan<ulong> readable) =>
        DeadTables.Find(tables, now, readable) is { Length: > 0 } dead ? CompactionPlan.Drop(dead) : null;

    /// <summary>Merges tables of one level with what overlaps them in the next.</summary>
    public static CompactionPlan Plan(TableSet tables, Table[] upper, int outputLevel)
    {
        var smallest = upper[0].Info.SmallestKey;
        var largest = upper[0].Info.LargestKey;
        foreach (var table in upper)
        {
            if (table.Info.SmallestKey.AsSpan().SequenceCompareTo(smallest) < 0) smallest = table.Info.SmallestKey;
            if (table.Info.LargestKey.AsSpan().SequenceCompareTo(largest) > 0) largest = table.Info.LargestKey;
        }

        var lower = tables.Levels[outputLevel].Where(table => table.Info.Overlaps(smallest, largest)).ToArray();
        return new CompactionPlan([.. upper, .. lower], outputLevel, MayMove(tables, upper, outputLevel));
    }

    // What overlaps nothing goes down as it is, unless it holds tombstones that would vanish there.
    static bool MayMove(TableSet tables, Table[] upper, int outputLevel)
    {
        foreach (var table in upper)
        {
            var info = table.Info;
            if (tables.OverlappingBytes(outputLevel, info.SmallestKey, info.LargestKey) > 0) return false;
            if (info.TombstoneCount > 0 && !tables.MayOverlapBelow(outputLevel, info.SmallestKey, info.LargestKey)) return false;
            foreach (var other in upper)
            {
                if (other != table && other.Info.Overlaps(info.SmallestKey, info.LargestKey)) return false;
            }
        }

        return true;
    }
}
