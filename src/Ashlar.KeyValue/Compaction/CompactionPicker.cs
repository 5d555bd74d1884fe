namespace Ashlar.KeyValue;

/// <summary>
/// Tables to merge, and the level that the result goes to. Inputs are complete: what overlaps them in that level is
/// among them.
/// </summary>
sealed record CompactionPlan(Table[] Inputs, int OutputLevel);

/// <summary>Decides which tables to merge: pure, from a set of tables.</summary>
sealed class CompactionPicker(KeyValueOptions options)
{
    readonly byte[]?[] continueAfter = new byte[]?[ManifestState.LevelCount];

    public CompactionPlan? Pick(TableSet tables)
    {
        // All of level 0 goes at once: an older table left behind would sit above newer entries of its keys.
        if (tables.LevelZero.Length >= options.LevelZeroTables) return Plan(tables, tables.LevelZero, 1);
        for (var level = 1; level < tables.Levels.Length - 1; level++)
        {
            if (tables.LevelBytes(level) > TargetBytes(level)) return Plan(tables, [NextTable(tables, level)], level + 1);
        }

        return null;
    }

    /// <summary>Everything, down to the deepest level in use.</summary>
    public static CompactionPlan? PickAll(TableSet tables)
    {
        var inputs = tables.All().ToArray();
        if (inputs.Length == 0) return null;
        return new CompactionPlan(inputs, Math.Max(1, inputs.Max(table => table.Info.Level)));
    }

    /// <summary>Level 1 holds eight memtables, each deeper level ten times the one above.</summary>
    long TargetBytes(int level)
    {
        var target = 8 * options.MemTableBytes;
        for (; level > 1; level--) target *= 10;
        return target;
    }

    static CompactionPlan Plan(TableSet tables, Table[] upper, int outputLevel)
    {
        var smallest = upper[0].Info.SmallestKey;
        var largest = upper[0].Info.LargestKey;
        foreach (var table in upper)
        {
            if (table.Info.SmallestKey.AsSpan().SequenceCompareTo(smallest) < 0) smallest = table.Info.SmallestKey;
            if (table.Info.LargestKey.AsSpan().SequenceCompareTo(largest) > 0) largest = table.Info.LargestKey;
        }

        return new CompactionPlan(
            [.. upper, .. tables.Levels[outputLevel].Where(table => table.Info.Overlaps(smallest, largest))], outputLevel);
    }

    // Tables of a level take turns, so that the whole key space moves down evenly.
    Table NextTable(TableSet tables, int level)
    {
        var candidates = tables.Levels[level];
        var after = continueAfter[level];
        var next = candidates[0];
        if (after is not null)
        {
            foreach (var table in candidates)
            {
                if (table.Info.SmallestKey.AsSpan().SequenceCompareTo(after) <= 0) continue;
                next = table;
                break;
            }
        }

        continueAfter[level] = next.Info.LargestKey;
        return next;
    }
}
