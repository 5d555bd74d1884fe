using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Segments of values that are given up together.</summary>
/// <param name="Segments">Their numbers.</param>
/// <param name="GainBytes">What goes for certain when nothing refers to them any more: what nothing referred to at first.</param>
/// <param name="ReferredBytes">What tables referred to at first, and what therefore has to be dropped or moved.</param>
/// <param name="ReachBytes">Files that are left if that is all it gains: it cannot be expected to reach less.</param>
/// <param name="LimitBytes">What files may take.</param>
/// <param name="EstimatedBytes">What they took when that was last estimated.</param>
sealed record ValueBatch(
    IReadOnlySet<ulong> Segments, double GainBytes, double ReferredBytes, double ReachBytes, double LimitBytes, double EstimatedBytes)
{
    public static ValueBatch None { get; } = new(new HashSet<ulong>(), 0, 0, 0, double.PositiveInfinity, 0);

    /// <summary>A batch of some segments, as it begins.</summary>
    public static ValueBatch Of(IReadOnlyList<ValueSegmentInfo> segments, CollectableFiles files, double limitBytes)
    {
        var toMove = segments.Sum(segment => (double)files.ReferredBytes(segment.Id));
        var gain = segments.Sum(files.UnreferredBytes);
        return new(segments.Select(segment => segment.Id).ToHashSet(), gain, toMove, files.TotalBytes - gain, limitBytes, files.TotalBytes);
    }

    /// <summary>
    /// What files are to be kept to. Where the batch cannot reach the limit, because snapshots hold the rest, or what is referred to is
    /// not worth moving, writers are not to blame for it.
    /// </summary>
    public double AllowedBytes => Math.Max(LimitBytes, ReachBytes);

    /// <summary>
    /// What is left to do when no room need be made for what will come: segments with the most to move are spared, as long as files come
    /// down to the limit without them. What was moved out of those already makes them cheaper to collect later.
    /// </summary>
    public ValueBatch WithoutSpare(CollectableFiles files)
    {
        var kept = files.Segments.Where(segment => Segments.Contains(segment.Id)).OrderBy(files.ReferredShare).ToList();
        var left = files.TotalBytes - kept.Sum(files.UnreferredBytes);
        var isLess = false;
        while (kept.Count > 0 && left + files.UnreferredBytes(kept[^1]) <= LimitBytes)
        {
            left += files.UnreferredBytes(kept[^1]);
            kept.RemoveAt(kept.Count - 1);
            isLess = true;
        }

        return isLess ? Of(kept, files, LimitBytes) : this;
    }

    /// <summary>What of the gain falls to tables, by what they refer to.</summary>
    public long GainOf(IEnumerable<Table> tables) =>
        ReferredBytes > 0 ? (long)(GainBytes * Math.Min(1, tables.Sum(ReferredIn) / ReferredBytes)) : 0;

    /// <summary>Bytes of the segments that a table refers to.</summary>
    public long ReferredIn(Table table)
    {
        var bytes = 0L;
        foreach (var reference in table.Info.References)
        {
            if (Segments.Contains(reference.SegmentId)) bytes += reference.LiveBytes;
        }

        return bytes;
    }
}
