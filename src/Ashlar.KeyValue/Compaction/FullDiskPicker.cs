using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Decides what to merge while the disk is full: pure, from a set of tables. What gives space back comes first, and no plan takes more
/// than one table besides those of the output level that overlap it: steps stay small, however much there is.
/// </summary>
sealed class FullDiskPicker(Manifest manifest)
{
    /// <summary>A segment with more live than this gives too little for what moving it takes.</summary>
    const double MaxLive = 0.85;

    /// <summary>
    /// Tombstones go further down before more of them come from level 0 once a table has so many times what the next of those has: one
    /// pass through the table below then serves several, and they do not wait until nobody deletes any more.
    /// </summary>
    const int GatheredTombstones = 4;

    static readonly IReadOnlySet<ulong> None = new HashSet<ulong>();

    bool isLevelZeroFirst;

    /// <summary>The segment that the last plan is to move values out of; nothing for most plans.</summary>
    public IReadOnlySet<ulong> Victims { get; private set; } = None;

    /// <summary>What gives space back; null if nothing does.</summary>
    /// <param name="tables">What there is.</param>
    /// <param name="readable">The sequences that readers may read at, ascending: tombstones up to the first may vanish.</param>
    /// <param name="maxMovedBytes">Most bytes of values that may be moved out of a segment.</param>
    /// <param name="now">Tells what has expired.</param>
    public CompactionPlan? Pick(TableSet tables, ReadOnlySpan<ulong> readable, long maxMovedBytes, long now)
    {
        Victims = None;
        if (CompactionPicker.PickDead(tables, now, readable) is { } dead) return dead;
        var arriving = tables.LevelZero is not [.., var oldest] ? 0
            : isLevelZeroFirst ? long.MaxValue
            : GatheredTombstones * oldest.Info.TombstoneCount;
        return PickTombstones(tables, readable[0], moreThan: arriving)
            ?? (isLevelZeroFirst ? null : CompactionPicker.PickAtBorders(tables, readable[0]))
            ?? PickOldestOfLevelZero(tables)
            ?? PickValues(tables, maxMovedBytes);
    }

    /// <summary>How the last plan ended: where there was no room for it, the next may be one that takes less.</summary>
    public void End(bool isDone) => isLevelZeroFirst = !isDone && !isLevelZeroFirst;

    /// <summary>The same until all tables are in one level but those with newer entries; null when they are.</summary>
    /// <param name="tables">What there is.</param>
    /// <param name="oldestReadable">No reader sees less than this.</param>
    /// <param name="newest">Tables of level 0 with entries above this sequence stay where they are.</param>
    /// <param name="maxMovedBytes">As above.</param>
    public CompactionPlan? PickAll(TableSet tables, ulong oldestReadable, ulong newest, long maxMovedBytes)
    {
        Victims = None;
        if (tables.LevelZero is [.., var oldest] && oldest.Info.MaxSequence <= newest) return PickOldestOfLevelZero(tables);
        var highest = Array.FindIndex(tables.Levels, 1, level => level.Length > 0);
        var deepest = Array.FindLastIndex(tables.Levels, level => level.Length > 0);
        return highest < 0 || highest == deepest
            ? PickTombstones(tables, Math.Min(oldestReadable, newest), moreThan: 0)
                ?? CompactionPicker.PickAtBorders(tables, oldestReadable)
                ?? PickValues(tables, maxMovedBytes)
            : CompactionPicker.Plan(tables, tables.Levels[highest][..1], highest + 1);
    }

    // The oldest may go down alone: all that stay above it are newer (I1).
    static CompactionPlan? PickOldestOfLevelZero(TableSet tables) =>
        tables.LevelZero.Length == 0 ? null : CompactionPicker.Plan(tables, tables.LevelZero[^1..], 1);

    // However few they are: there is no other way to give space back. Down to where they vanish with what they shadow.
    static CompactionPlan? PickTombstones(TableSet tables, ulong oldestReadable, long moreThan)
    {
        Table? best = null;
        foreach (var table in tables.All())
        {
            if (table.Info.Level == 0 || table.Info.TombstoneCount == 0 || table.Info.MaxSequence > oldestReadable) continue;
            if (table.Info.TombstoneCount > Math.Max(moreThan, best?.Info.TombstoneCount ?? 0)) best = table;
        }

        if (best is null) return null;
        var (level, info) = (best.Info.Level, best.Info);
        return tables.MayOverlapBelow(level, info.SmallestKey, info.LargestKey)
            ? CompactionPicker.Plan(tables, [best], level + 1)
            : new CompactionPlan([best], level);
    }

    // One segment at a time, the one that gives the most for what is moved.
    CompactionPlan? PickValues(TableSet tables, long maxMovedBytes)
    {
        ulong? chosen = null;
        using (manifest.Gate.Hold())
        {
            var minShare = MaxLive;
            foreach (var segment in manifest.State.Segments.Values)
            {
                var reference = manifest.State.References.GetValueOrDefault(segment.Id);
                var live = (double)reference.LiveBytes + LogSegmentHeader.SizeBytes
                    + (segment.Origin == SegmentOrigin.Moved ? MovedRecordHeader.SizeBytes * reference.Count : 0);
                if (reference.LiveBytes > maxMovedBytes || live / segment.EndOffset >= minShare) continue;
                minShare = live / segment.EndOffset;
                chosen = segment.Id;
            }
        }

        if (chosen is not { } id) return null;
        var best = tables.All().MaxBy(table => LiveBytes(table, id));
        if (best is null || LiveBytes(best, id) == 0) return null;
        Victims = new HashSet<ulong> { id };
        return new CompactionPlan([best], best.Info.Level);
    }

    /// <summary>What a table refers to of a segment.</summary>
    public static long LiveBytes(Table table, ulong segmentId)
    {
        foreach (var reference in table.Info.References)
        {
            if (reference.SegmentId == segmentId) return reference.LiveBytes;
        }

        return 0;
    }
}
