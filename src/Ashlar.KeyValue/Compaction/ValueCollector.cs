namespace Ashlar.KeyValue;

/// <summary>
/// Decides which segments of values are given up. What of them is still referred to is moved by every merge that meets it; tables
/// that no merge takes meanwhile are rewritten at their own level, one after the other, until nothing refers to the segments.
/// </summary>
/// <remarks>
/// A segment of which the share u is live costs u / (1 - u) bytes of moving per byte that it frees, so those with the least live go
/// first. References count entries that newer ones in higher levels shadow: how much is really live is estimated from the
/// deepest level, which holds each of its keys about once.
/// </remarks>
sealed class ValueCollector(Manifest manifest, KeyValueOptions options)
{
    /// <summary>A segment with more live than this is not worth moving, whatever the target says.</summary>
    const double MostLive = 0.85;

    static readonly IReadOnlySet<ulong> None = new HashSet<ulong>();

    /// <summary>Segments that are given up; changed by the merging thread.</summary>
    public IReadOnlySet<ulong> Condemned { get; private set; } = None;

    /// <summary>A table to rewrite at its own level; null if there is nothing to collect.</summary>
    public CompactionPlan? Pick(TableSet tables)
    {
        Update(tables);
        if (Condemned.Count == 0) return null;
        Table? best = null;
        var most = 0L;
        foreach (var table in tables.All())
        {
            var bytes = 0L;
            foreach (var reference in table.Info.References)
            {
                if (Condemned.Contains(reference.SegmentId)) bytes += reference.LiveBytes;
            }

            if (bytes <= most) continue;
            most = bytes;
            best = table;
        }

        return best is null ? null : new CompactionPlan([best], best.Info.Level);
    }

    void Update(TableSet tables)
    {
        lock (manifest.Gate)
        {
            var state = manifest.State;
            if (Condemned.Any(state.References.ContainsKey)) return; // One batch at a time.
            Condemned = None;
            // What only waits for the archive has nothing that could be moved.
            var segments = state.Segments.Values.Where(segment => state.References.ContainsKey(segment.Id)).ToArray();
            var total = segments.Sum(segment => segment.EndOffset);
            var limit = options.SpaceAmplification * EstimateLive(tables);
            var index = tables.All().Sum(table => table.Info.FileLength);
            if (total + index <= limit + (options.LogSegmentBytes / 4)) return;

            // A batch frees more than is asked for, so that passes over the index are few.
            var wanted = total + index - (0.9 * limit);
            var chosen = new HashSet<ulong>();
            foreach (var segment in segments.OrderBy(LiveShare))
            {
                if (wanted <= 0 || LiveShare(segment) > MostLive) break;
                chosen.Add(segment.Id);
                wanted -= segment.EndOffset * (1 - LiveShare(segment));
            }

            Condemned = chosen;

            // Heads of moved records count as live: moving them again would free nothing, and go on for ever.
            double LiveShare(ValueSegmentInfo segment)
            {
                var reference = state.References.GetValueOrDefault(segment.Id);
                var heads = LogSegmentHeader.SizeBytes
                    + (segment.Origin == SegmentOrigin.Moved ? MovedRecordHeader.SizeBytes * reference.Count : 0);
                return (double)(reference.LiveBytes + heads) / segment.EndOffset;
            }
        }
    }

    // Below the deepest level nothing is shadowed; above it, as much may be new as may be newer.
    static double EstimateLive(TableSet tables)
    {
        double all = 0, largest = 0;
        foreach (var level in tables.Levels)
        {
            double bytes = level.Sum(table => table.Info.References.Sum(reference => reference.LiveBytes));
            all += bytes;
            largest = Math.Max(largest, bytes);
        }

        return Math.Max(largest, all / 2);
    }
}
