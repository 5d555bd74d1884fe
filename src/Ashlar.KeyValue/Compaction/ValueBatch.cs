using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Segments of values that are given up together.</summary>
/// <param name="Segments">Their numbers.</param>
/// <param name="GainBytes">Bytes of them that nothing referred to when the batch began: the batch frees at least these.</param>
/// <param name="ReferredBytes">Bytes of them that tables referred to when the batch began: each is dropped or moved.</param>
/// <param name="ReachBytes">Bytes that all files take once the batch has freed <see cref="GainBytes"/>.</param>
/// <param name="LimitBytes">Bytes that all files may take.</param>
/// <param name="EstimatedBytes">Bytes that all files took when the limit was last estimated.</param>
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
    /// What files are to be kept to: the limit, or what the batch can reach if that is more. Snapshots may hold the rest, or it may not
    /// be worth moving; writers are not slowed for either.
    /// </summary>
    public double AllowedBytes => Math.Max(LimitBytes, ReachBytes);

    /// <summary>
    /// A smaller batch for when nobody writes: it need only bring files down to the limit, and make no room for writes to come. The
    /// segments with the most to move are left out, as many as that allows; what was already moved out of them makes them cheaper later.
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
