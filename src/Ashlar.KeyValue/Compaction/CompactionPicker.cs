using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Decides which tables to merge: pure, from a set of tables.</summary>
/// <remarks>
/// First the level that exceeds its share the most, level 0 by its number of tables, deeper ones by bytes. Within a level the
/// table goes that rewrites the least below it per byte of its own. If no level is too large, tables go that consist mostly of
/// tombstones: down to where the tombstones meet nothing more and vanish, with what they shadow.
/// </remarks>
sealed class CompactionPicker(KeyValueOptions options)
{
    /// <summary>From this share of tombstones on a table is merged without its level being too large.</summary>
    const double DenseTombstones = 0.3;

    /// <summary>A merge of level 0 that would rewrite more than this times its size waits until level 0 is larger.</summary>
    const int MaxRewrittenPerByte = 10;

    /// <summary>What most needs merging; null if nothing does.</summary>
    /// <param name="tables">What there is.</param>
    /// <param name="batchBytes">Bytes of level 0 that start a merge, as measured.</param>
    /// <param name="oldestReadable">No reader sees less than this: tombstones up to here may vanish.</param>
    public CompactionPlan? Pick(TableSet tables, long batchBytes, ulong oldestReadable)
    {
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

        if (highest < 1) return PickTombstones(tables, oldestReadable);
        return fullest == 0 ? PickLevelZero(tables) : PickFrom(tables, fullest);
    }

    /// <summary>Everything, down to the deepest level in use.</summary>
    public static CompactionPlan? PickAll(TableSet tables)
    {
        var inputs = tables.All().ToArray();
        if (inputs.Length == 0) return null;
        return new CompactionPlan(inputs, Math.Max(1, inputs.Max(table => table.Info.Level)));
    }

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

        if (best is null) return null;
        if (best.Info.Level == 0) return Plan(tables, tables.LevelZero, 1);
        var isBottom = !tables.MayOverlapBelow(best.Info.Level, best.Info.SmallestKey, best.Info.LargestKey);
        return isBottom ? new CompactionPlan([best], best.Info.Level) : Plan(tables, [best], best.Info.Level + 1);
    }

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
