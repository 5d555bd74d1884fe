using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Decides which segments of values are given up, a batch of victims at a time. What of them is still live is moved by every merge that
/// meets it; what no merge meets is looked for, table by table, until nothing refers to the segments.
/// </summary>
/// <remarks>
/// A segment of which the share u is live costs u / (1 - u) bytes of moving per byte that it frees, so those with the least live go
/// first, and none goes before space runs out: the longer it waits, the less of it is live. References count stale entries, too;
/// how many of them are live is estimated (<see cref="LiveEstimate"/>). One thread picks, others measure.
/// </remarks>
sealed class ValueCollector(EngineContext engine, SpaceReserve space)
{
    /// <summary>
    /// A segment of which more than this is referred to is not worth moving, whatever the target says, and whatever share of
    /// that is stale: each batch frees something for certain, so that collection ends.
    /// </summary>
    public const double MaxLive = 0.85;

    /// <summary>
    /// The most of the allowed space that a batch frees if less than that is too much. Each walks the whole index, so few are better; but
    /// with more space to spare, segments go with less that is live.
    /// </summary>
    const double LargestBatch = 1.0 / 16;

    /// <summary>By this share files have to grow during a batch before what is live is estimated anew.</summary>
    const double EstimateAgain = 1.0 / 16;

    /// <summary>When nobody has written for so long, no room is made for what others may write.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    ValueBatch batch = ValueBatch.None;
    bool hasFailed;
    ulong sequenceAtLastLook;
    long lastWriteSeen;
    ulong sequenceAtLastBatch;
    bool isHidden; // Whether files are beyond their limit, no segment is worth moving, and merges would show which are.

    /// <summary>What is given up now.</summary>
    public ValueBatch Batch
    {
        get => Volatile.Read(ref batch);
        private set => Volatile.Write(ref batch, value);
    }

    /// <summary>Whether the last merge that was to free something failed: writers do not wait for what may never come about.</summary>
    public bool HasFailed
    {
        get => Volatile.Read(ref hasFailed);
        set => Volatile.Write(ref hasFailed, value);
    }

    /// <summary>
    /// Gives up what is beyond the target, however little that is. Called when all tables were merged, so that they refer to nothing
    /// that is stale.
    /// </summary>
    public void ChooseAllVictims(TableSet tables)
    {
        Batch = ValueBatch.None;
        if (TryMeasure(tables) is not { } files) return;
        var segments = files.Segments.Where(segment => files.IsReferred(segment.Id)).ToList();
        var live = segments.Sum(segment => (double)files.ReferredBytes(segment.Id));
        var excess = segments.Sum(segment => (double)segment.EndOffset) - (engine.Options.SpaceAmplification * live);
        var chosen = Choose(files, segments, excess, isLive: 1);
        if (chosen.Count > 0) Batch = ValueBatch.Of(chosen, files, files.TotalBytes);
    }

    /// <summary>What to merge so that values are moved out of what was given up; null if nothing refers to it.</summary>
    public CompactionPlan? PickForVictims(TableSet tables)
    {
        var current = Batch;
        if (current.Segments.Count == 0) return null;
        var best = tables.All().MaxBy(current.ReferredIn);
        return best is null || current.ReferredIn(best) == 0 ? null : CompactionPicker.PickOnto(tables, best);
    }

    /// <summary>What to merge so that values are moved; null if there is nothing to collect.</summary>
    public CompactionPlan? Pick(TableSet tables)
    {
        LookForWrites();
        try
        {
            Update(tables);
        }
        catch (StorageException)
        {
            return null; // A file cannot be looked at: nothing is collected until it can, but merges go on.
        }

        return PickForVictims(tables) ?? PickHiding(tables) ?? PickReleased(tables);
    }

    // A step at a time, as merges of other kinds. Each leaves a table less above the deepest level, and then one less there that holds
    // what only snapshots needed, so they end.
    CompactionPlan? PickHiding(TableSet tables)
    {
        if (!isHidden) return null;
        var level = Array.FindIndex(tables.Levels, inLevel => inLevel.Length > 0);
        if (level != Array.FindLastIndex(tables.Levels, inLevel => inLevel.Length > 0))
            return CompactionPicker.Plan(tables, level == 0 ? tables.LevelZero : tables.Levels[level][..1], level + 1);
        if (level == 0) return new CompactionPlan(tables.LevelZero, 1);
        var stale = tables.Levels[level].FirstOrDefault(table => Estimate(() => LiveEstimate.KeptShare(engine.State, tables, table)) < 1);
        return stale is null ? null : new CompactionPlan([stale], level);
    }

    // What only snapshots needed that are gone, where a table gives back as much as it keeps.
    CompactionPlan? PickReleased(TableSet tables)
    {
        const double MaxKept = 0.5;
        var found = tables.All().FirstOrDefault(table => Estimate(() => LiveEstimate.KeptShare(engine.State, tables, table)) <= MaxKept);
        return found is null ? null : CompactionPicker.PickOnto(tables, found);
    }

    /// <summary>How far files are beyond what they are to be kept to; nothing while there is nothing to collect.</summary>
    public SpaceDebt MeasureDebt(TableSet tables)
    {
        var current = Batch;
        if (current.Segments.Count == 0 || HasFailed) return default;
        var files = CollectableFiles.Measure(engine.Manifest, engine.State, tables, space);
        return current.Segments.Any(files.IsReferred) ? SpaceDebt.Of(files.TotalBytes, current.AllowedBytes) : default;
    }

    // Null where a file cannot be looked at.
    CollectableFiles? TryMeasure(TableSet tables)
    {
        try
        {
            return CollectableFiles.Measure(engine.Manifest, engine.State, tables, space);
        }
        catch (StorageException)
        {
            return null;
        }
    }

    void Update(TableSet tables)
    {
        var files = CollectableFiles.Measure(engine.Manifest, engine.State, tables, space);
        if (Batch.Segments.Any(files.IsReferred))
        {
            if (IsQuiet) Batch = Batch.WithoutSpare(files);
            else EstimateLimitAgain(tables, files.TotalBytes);
            return; // One batch at a time.
        }

        Batch = ValueBatch.None;
        isHidden = false;
        if (Estimate(() => LiveEstimate.MinValueBytes(engine.State, tables)) is not { } least || files.TotalBytes <= Limit(least)) return;
        if (EstimateLive(tables) is not { } live) return;
        var limit = Limit(live);
        if (files.TotalBytes <= limit) return;

        var referred = (double)tables.All().Sum(LiveEstimate.ReferredBytes);
        var wanted = Math.Max(files.TotalBytes - limit, Math.Min(Inflow(tables, referred), LargestBatch * limit));
        var isLive = Math.Min(1, live / Math.Max(1, referred));
        var chosen = Choose(files, files.Segments.Where(segment => files.IsReferred(segment.Id)), wanted, isLive);
        Batch = ValueBatch.Of(chosen, files, limit);
        isHidden = chosen.Count == 0 && new HiddenValues(
            StaleBytes: referred - live,
            ExcessBytes: files.TotalBytes - limit,
            TableBytes: tables.All().Sum(table => table.Info.FileLength),
            NewestSequence: tables.NewestSequence(),
            OldestReadable: engine.State.OldestReadableSequence()).AreWorthMerging;
    }

    // Those of which the least is referred to, until they free enough.
    static List<ValueSegmentInfo> Choose(CollectableFiles files, IEnumerable<ValueSegmentInfo> segments, double wanted, double isLive)
    {
        var chosen = new List<ValueSegmentInfo>();
        foreach (var segment in segments.OrderBy(files.ReferredShare))
        {
            var share = files.ReferredShare(segment);
            if (wanted <= 0 || share > MaxLive) break;
            chosen.Add(segment);
            wanted -= segment.EndOffset * (1 - (isLive * share));
        }

        return chosen;
    }

    // What is written meanwhile may be new, and not replace anything: then more is allowed.
    void EstimateLimitAgain(TableSet tables, double usedBytes)
    {
        var current = Batch;
        if (usedBytes <= SpaceDebt.FreeOvershoot * current.AllowedBytes || usedBytes <= (1 + EstimateAgain) * current.EstimatedBytes)
            return;
        if (EstimateLive(tables) is { } live) Batch = current with { LimitBytes = Limit(live), EstimatedBytes = usedBytes };
    }

    double? EstimateLive(TableSet tables) => Estimate(() => LiveEstimate.Of(engine.State, tables).ValueBytes);

    // The sample may meet damage that no merge meets. Without an estimate nothing is collected, but merges go on.
    static double? Estimate(Func<double> compute)
    {
        try
        {
            return compute();
        }
        catch (AshlarException error) when (error is not InvariantException)
        {
            return null;
        }
    }

    void LookForWrites()
    {
        var visible = engine.State.VisibleSequence;
        if (visible == sequenceAtLastLook) return;
        sequenceAtLastLook = visible;
        lastWriteSeen = engine.Options.TimeProvider.GetTimestamp();
    }

    bool IsQuiet => engine.Options.TimeProvider.GetElapsedTime(lastWriteSeen) >= Quiet;

    // Bytes that will be written until the next batch is chosen: as many as since the last one, or none if nobody writes.
    double Inflow(TableSet tables, double referred)
    {
        var entries = engine.State.VisibleSequence - sequenceAtLastBatch;
        sequenceAtLastBatch = engine.State.VisibleSequence;
        return IsQuiet ? 0 : entries * referred / Math.Max(1, tables.All().Sum(table => table.Info.EntryCount));
    }

    // Below the target, because estimates err. In a small store a segment of the log is much beside the data: two are allowed for.
    double Limit(double live)
    {
        const double Caution = 0.985;
        var options = engine.Options;
        return Math.Max(Caution * options.SpaceAmplification * live, live + SegmentLength.Spare(options, live) + space.TargetBytes);
    }
}
