namespace Ashlar.KeyValue;

/// <summary>
/// Decides which segments of values are given up, a batch at a time. What of them is still live is moved by every merge that meets
/// it; what no merge meets is looked for, table by table, until nothing refers to the segments.
/// </summary>
/// <remarks>
/// A segment of which the share u is live costs u / (1 - u) bytes of moving per byte that it frees, so those with the least live go
/// first, and none goes before space runs out: the longer it waits, the less of it is live. References count stale entries, too;
/// how many of them are live is estimated (<see cref="LiveEstimate"/>).
/// </remarks>
sealed class ValueCollector(Manifest manifest, StoreState state, SpaceReserve space, KeyValueOptions options)
{
    /// <summary>
    /// A segment of which more than this is referred to is not worth moving, whatever the target says, and whatever share of
    /// that is stale: each batch frees something for certain, so that collection ends.
    /// </summary>
    const double MostLive = 0.85;

    /// <summary>
    /// The most of the allowed space that a batch frees beyond what is too much. Each walks the whole index, so few are better; but
    /// with more space to spare, segments go with less that is live.
    /// </summary>
    const double LargestBatch = 0.125;

    static readonly IReadOnlySet<ulong> None = new HashSet<ulong>();

    /// <summary>Segments that are given up; changed by the merging thread.</summary>
    public IReadOnlySet<ulong> Condemned { get; private set; } = None;

    ulong sequenceAtLastLook;
    ulong sequenceAtLastBatch;

    /// <summary>What to merge so that values are moved; null if there is nothing to collect.</summary>
    public CompactionPlan? Pick(TableSet tables)
    {
        Update(tables);
        sequenceAtLastLook = state.VisibleSequence;
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

        return best is null ? null : CompactionPicker.PickOnto(tables, best);
    }

    void Update(TableSet tables)
    {
        Dictionary<ulong, SegmentReference> references;
        ValueSegmentInfo[] segments;
        lock (manifest.Gate)
        {
            references = new(manifest.State.References);
            segments = [.. manifest.State.Segments.Values];
        }

        if (Condemned.Any(references.ContainsKey)) return; // One batch at a time.
        Condemned = None;
        // What only waits for the archive has nothing that could be moved.
        var waiting = segments.Where(segment => !references.ContainsKey(segment.Id)).Sum(segment => segment.EndOffset);
        var index = tables.All().Sum(table => table.Info.FileLength);
        var used = state.Values.BytesOnDisk() - waiting + index + space.FullBytes;
        // The deepest level holds each of its keys once: less than it refers to is not live.
        if (used <= Limit(tables.Levels.Max(level => level.Sum(LiveEstimate.ReferredBytes)))) return;
        var live = LiveEstimate.Compute(state, tables);
        var limit = Limit(live);
        if (used <= limit) return;

        var referred = (double)tables.All().Sum(LiveEstimate.ReferredBytes);
        var wanted = used - limit + Math.Min(Inflow(tables, referred), LargestBatch * limit);
        var isLive = Math.Min(1, live / Math.Max(1, referred));
        var chosen = new HashSet<ulong>();
        foreach (var segment in segments.Where(segment => references.ContainsKey(segment.Id)).OrderBy(ReferredShare))
        {
            if (wanted <= 0 || ReferredShare(segment) > MostLive) break;
            chosen.Add(segment.Id);
            wanted -= segment.EndOffset * (1 - (isLive * ReferredShare(segment)));
        }

        Condemned = chosen;

        // Heads of moved records count, too: moving them again would free nothing, and go on for ever.
        double ReferredShare(ValueSegmentInfo segment)
        {
            var reference = references.GetValueOrDefault(segment.Id);
            var heads = LogSegmentHeader.SizeBytes
                + (segment.Origin == SegmentOrigin.Moved ? MovedRecordHeader.SizeBytes * reference.Count : 0);
            return (double)(reference.LiveBytes + heads) / segment.EndOffset;
        }
    }

    // As much will come until the next batch is chosen; nothing, if nobody writes any more.
    double Inflow(TableSet tables, double referred)
    {
        var isIdle = state.VisibleSequence == sequenceAtLastLook;
        var entries = state.VisibleSequence - sequenceAtLastBatch;
        sequenceAtLastBatch = state.VisibleSequence;
        return isIdle ? 0 : entries * referred / Math.Max(1, tables.All().Sum(table => table.Info.EntryCount));
    }

    // Estimates err. The log is written a segment at a time: where that is much beside the data, two of them are not counted.
    double Limit(double live)
    {
        const double Caution = 0.985;
        return Math.Max(Caution * options.SpaceAmplification * live, live + (2.0 * options.LogSegmentBytes) + space.FullBytes);
    }
}
