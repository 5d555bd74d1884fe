using Ashlar.KeyValue.Archive;
using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Decides what is flushed and merged next, and has it done.</summary>
/// <remarks>
/// One thread flushes and one merges, at the same time. Why nothing that is deleted comes back:
/// <list type="bullet">
/// <item>A flush only adds to the top of level 0, oldest memtable first: what it adds is newer than all that a merge has for
/// inputs (I1), and it looks at no table.</item>
/// <item>Only the merging thread takes tables away or puts any below level 0. So what its plan saw below the output is what
/// there is until its edit is installed, and no table is the input of two merges (I2).</item>
/// <item>Each deletes only files that it wrote itself, and only while no edit that names them was begun (I4).</item>
/// </list>
/// </remarks>
sealed class Compactor
{
    readonly StoreState state;
    readonly KeyValueOptions options;
    readonly ExpiryClock expiryClock;
    readonly WriteThrottle throttle;
    readonly SpaceReserve space;
    readonly LogArchiver? archiver;
    readonly CompactionPicker picker;
    readonly FullDiskPicker fullDiskPicker;
    readonly ValueCollector collector;
    readonly MemTableFlush flush;
    readonly TableMerge merge;
    readonly SteppedMerge steppedMerge;
    readonly Lock debtGate = new();
    bool collectsNext;
    long segmentBytes;

    public Compactor(EngineContext engine, WriteThrottle throttle, SpaceReserve space, LogArchiver? archiver)
    {
        (state, options, expiryClock) = (engine.State, engine.Options, engine.ExpiryClock);
        (this.throttle, this.space, this.archiver) = (throttle, space, archiver);
        picker = new CompactionPicker(options);
        fullDiskPicker = new FullDiskPicker(engine.Manifest);
        collector = new ValueCollector(engine, space);
        var installer = new TableInstaller(engine);
        var writer = new TableWriter(engine);
        flush = new MemTableFlush(engine, writer, installer, throttle, space, Counters);
        merge = new TableMerge(engine, writer, installer, Counters);
        steppedMerge = new SteppedMerge(merge, state, space);
    }

    public CompactionCounters Counters { get; } = new();

    /// <summary>Segments that are given up, though tables refer to them yet.</summary>
    public IReadOnlySet<ulong> Victims => space.IsLow ? fullDiskPicker.Victims : collector.Batch.Segments;

    /// <summary>Garbage after which a segment of the log ends.</summary>
    public long SegmentBytes => Volatile.Read(ref segmentBytes);

    /// <summary>Writes the oldest waiting memtable to a level-0 table; false if none waits.</summary>
    /// <param name="mayMerge">Whether there may be anything to merge, which on a full disk comes first.</param>
    public bool FlushOldest(bool mayMerge)
    {
        if (!flush.TryRun(mayMerge)) return false;
        archiver?.Wake();
        return true;
    }

    /// <summary>Whether anything up to a sequence is in a memtable that waits to become a table.</summary>
    public bool IsWaiting(ulong sequence)
    {
        using var read = state.Read();
        return read.Version.Immutable is [.., var oldest] && oldest.FirstSequence <= sequence;
    }

    /// <summary>Merges what most needs it; false if nothing does.</summary>
    /// <param name="pause">
    /// Called between tables and now and then: lets memtables be written meanwhile, or gives up by throwing.
    /// </param>
    public bool Compact(Action pause) => space.IsLow
        ? Compact(
            tables => fullDiskPicker.Pick(tables, state.ReadableSequences(), space.MaxMovedBytes, Now), pause, inSteps: true)
        : Compact(Pick, pause, inSteps: false);

    /// <summary>Merges all tables that there are now: at once, and one after the other where there is no room for that.</summary>
    /// <param name="pause">As above.</param>
    public void CompactAll(Action pause)
    {
        var newest = NewestSequence();
        while (space.IsLow)
        {
            if (!CompactOneOfAll(newest, pause)) return;
        }

        try
        {
            Compact(CompactionPicker.PickAll, pause, inSteps: false);
            CollectAll(pause);
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
        {
            // To the end in steps, though the disk counts as not full as soon as one of them has given back what it took: what is free
            // beside that is as little as before.
            space.DeclareFull();
            while (CompactOneOfAll(newest, pause))
            {
            }
        }
    }

    // Out of segments that hold more garbage than the target allows, however little that is: nothing else would give it back.
    void CollectAll(Action pause)
    {
        var version = state.Acquire();
        try
        {
            collector.ChooseAllVictims(version.Tables);
        }
        finally
        {
            version.Release();
        }

        while (Compact(collector.PickForVictims, pause, inSteps: false))
        {
        }
    }

    // What others write meanwhile is left out, or they could keep it from ever ending.
    bool CompactOneOfAll(ulong newest, Action pause) =>
        Compact(
            tables => fullDiskPicker.PickAll(tables, state.OldestReadableSequence(), newest, space.MaxMovedBytes), pause, inSteps: true);

    ulong NewestSequence()
    {
        var version = state.Acquire();
        var newest = version.Tables.NewestSequence();
        version.Release();
        return newest;
    }

    bool Compact(Func<TableSet, CompactionPlan?> pick, Action pause, bool inSteps)
    {
        StoreVersion? version = state.Acquire();
        CompactionPlan? plan = null;
        var isDone = false;
        var gain = 0L;
        try
        {
            plan = pick(version.Tables);
            if (plan is null) return false;
            gain = inSteps ? 0 : collector.Batch.GainOf(plan.Inputs);
            if (collector.Batch.Segments.Count > 0) throttle.Collecting.Begin(gain);
            var sinks = plan.OutputLevel == 0 ? [] : plan.Inputs.Where(table => table.Info.Level == 0);
            throttle.Merging.Begin(sinks.Sum(table => table.Info.FileLength));
            if (plan.IsDrop)
            {
                using var grant = inSteps ? space.TakeForMerge(0, pause) : null; // The manifest's edit.
                merge.Drop(plan);
            }
            else if (plan.IsMove)
            {
                using var grant = inSteps ? space.TakeForMerge(0, pause) : null; // The manifest's edit.
                merge.Move(plan); // The version is held: a table that nobody holds any more cannot say that its file has moved.
            }
            else if (inSteps)
            {
                version.Release();
                version = null; // Only this thread takes tables away: those of the plan stay.
                steppedMerge.Run(plan, fullDiskPicker.Victims, pause);
            }
            else
            {
                merge.Run(version.Tables, plan, collector.Batch.Segments, () =>
                {
                    pause();
                    // What is kept for a full disk is for merges that take no more than there is.
                    if (space.IsLow) space.ThrowFull(plan.Bytes);
                });
            }

            Counters.CountCompaction();
            isDone = true;
            return true;
        }
        finally
        {
            throttle.Merging.End(isDone);
            throttle.Collecting.End(isDone);
            if (gain > 0) collector.HasFailed = !isDone;
            if (inSteps && plan is not null) fullDiskPicker.End(isDone);
            version?.Release();
        }
    }

    /// <summary>
    /// Looks anew how far behind the background is. Where a file cannot be looked at, what was found before goes on to count.
    /// </summary>
    public void MeasureDebt()
    {
        using (debtGate.Hold()) // The last to measure has seen the newest version.
        {
            var version = state.Acquire();
            Volatile.Write(ref segmentBytes, SegmentLength.Of(options, LiveEstimate.MinReferredBytes(version.Tables)));
            space.Follow(version.Immutable.Sum(table => table.UsedBytes), version.Tables.All().Sum(table => table.Info.FileLength));
            try
            {
                throttle.Debt = WriteDebt.Measure(
                    version, BatchBytes(version.Tables), options.LevelZeroTables, state.OldestReadableSequence()) with
                {
                    Space = space.IsLow ? default : collector.MeasureDebt(version.Tables),
                };
            }
            catch (StorageException)
            {
                // Nobody asked for this: neither a writer nor the background's thread may fail by it.
            }
            finally
            {
                version.Release();
            }
        }
    }

    /// <summary>Bytes of level 0 that start a merge: what memtables become differs with the values.</summary>
    long BatchBytes(TableSet tables)
    {
        var one = flush.TableBytes;
        if (one == 0) one = tables.LevelZero.Length > 0 ? tables.LevelBytes(0) / tables.LevelZero.Length : options.MemTableBytes;
        return one * options.LevelZeroTables;
    }

    // Merges and collection take turns, so that neither waits for ever; flushes wait for neither. What can go without being read is not
    // read by a merge for its values.
    CompactionPlan? Pick(TableSet tables)
    {
        var collection = collector.Pick(tables);
        collectsNext = !collectsNext;
        var merge = picker.Pick(tables, BatchBytes(tables), state.ReadableSequences(), Now);
        if (merge is null || merge.IsDrop || collection is null) return merge ?? collection;
        return collectsNext && tables.LevelZero.Length <= options.LevelZeroTables ? collection : merge;
    }

    long Now => expiryClock.Now();
}
