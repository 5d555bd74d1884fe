using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Tables that can go without being read: all they hold lies in ranges that were deleted later; or has expired, or is tombstones, and
/// nothing lies below that it shadows. What is written in the order of its keys and expires goes so, as no merge ever meets it.
/// </summary>
/// <remarks>
/// Why nobody misses them: to a reader of any sequence who reads the clock from now on, each of their entries says that its key is absent
/// (entries go on expiring in snapshots), and below is none that says otherwise. Cursors go by the clock of when they were opened, and
/// hold the tables of then. Memtables and tables above do not count: they are newer. If the clock is set back afterwards, these entries
/// stay gone, as those do that a merge has met; none goes before its time by the clock when it was chosen.
/// </remarks>
static class DeadTables
{
    /// <summary>Those that may go together, in one edit.</summary>
    /// <param name="tables">What there is.</param>
    /// <param name="now">The time (<see cref="Expiry.Now"/>).</param>
    /// <param name="readable">The sequences that readers may read at, ascending; who comes later reads at the last or above it.</param>
    public static Table[] Find(TableSet tables, long now, ReadOnlySpan<ulong> readable)
    {
        var dead = new HashSet<Table>();
        if (tables.Ranges is { } ranges)
        {
            foreach (var table in tables.All())
            {
                if (AreDeleted(ranges, table.Info, readable)) dead.Add(table);
            }
        }

        for (var level = tables.Levels.Length - 1; level > 0; level--)
        {
            foreach (var table in tables.Levels[level])
            {
                if (IsDead(table.Info, now) && !HasLiveBelow(tables, level, table.Info, dead)) dead.Add(table);
            }
        }

        for (var age = tables.LevelZero.Length - 1; age >= 0; age--)
        {
            var info = tables.LevelZero[age].Info;
            if (!IsDead(info, now) || HasLiveBelow(tables, 0, info, dead)) continue;
            var older = tables.LevelZero.AsSpan(age + 1);
            if (!HasLive(older, info, dead)) dead.Add(tables.LevelZero[age]);
        }

        return [.. dead];
    }

    // Who sees any of its entries sees a range tombstone that is newer than all of them, too, at each of its keys.
    static bool AreDeleted(RangeTombstones ranges, TableInfo info, ReadOnlySpan<ulong> readable)
    {
        var first = readable.BinarySearch(info.MinSequence);
        if (first < 0) first = ~first;
        return first < readable.Length && ranges.CoverAll(info.SmallestKey, info.LargestKey, info.MaxSequence, readable[first]);
    }

    // Tombstones alone go down to where they vanish, as ever.
    static bool IsDead(TableInfo info, long now) =>
        info.Expiry.Count > 0 && info.TombstoneCount + info.Expiry.Count == info.EntryCount
        && info.Expiry.ExpiredBy(now) == info.Expiry.Count;

    static bool HasLiveBelow(TableSet tables, int level, TableInfo info, HashSet<Table> dead)
    {
        for (var deeper = level + 1; deeper < tables.Levels.Length; deeper++)
        {
            if (HasLive(tables.Overlapping(deeper, info.SmallestKey, info.LargestKey), info, dead)) return true;
        }

        return false;
    }

    static bool HasLive(ReadOnlySpan<Table> among, TableInfo info, HashSet<Table> dead)
    {
        foreach (var table in among)
        {
            if (table.Info.Overlaps(info.SmallestKey, info.LargestKey) && !dead.Contains(table)) return true;
        }

        return false;
    }
}
