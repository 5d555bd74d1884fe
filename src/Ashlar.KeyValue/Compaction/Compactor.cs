using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>Writes memtables to tables and merges tables. Owns the crash order of both.</summary>
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
sealed class Compactor(
    StoreFiles files, StoreState state, Manifest manifest, BlockCache cache, ValueSegments values, FileNumbers numbers,
    KeyValueOptions options, PoisonLatch poison, Backpressure pressure, SpaceReserve space, LogArchiver? archiver)
{
    readonly CompactionPicker picker = new(options);
    readonly FullDiskPicker fullDiskPicker = new(manifest);
    readonly ValueCollector collector = new(manifest, state, space, options);
    readonly TableInstaller installer = new(files, state, manifest, cache, values, poison);
    readonly Lock debtGate = new();
    long flushedTableBytes; // Smoothed; 0 before the first flush.
    long flushes;
    long compactions;
    long moves;
    long flushBytesWritten;
    long mergeBytesRead;
    long mergeBytesWritten;
    long movedValueBytes;
    bool collectsNext;

    public long Flushes => Volatile.Read(ref flushes);

    public long Compactions => Volatile.Read(ref compactions);

    /// <summary>Compactions that moved tables to another level without writing them.</summary>
    public long Moves => Volatile.Read(ref moves);

    /// <summary>Bytes of tables that memtables became.</summary>
    public long FlushBytesWritten => Volatile.Read(ref flushBytesWritten);

    /// <summary>Bytes of tables that were merged.</summary>
    public long MergeBytesRead => Volatile.Read(ref mergeBytesRead);

    /// <summary>Bytes of tables that merges wrote.</summary>
    public long MergeBytesWritten => Volatile.Read(ref mergeBytesWritten);

    /// <summary>Bytes of values that were moved out of segments that are mostly garbage.</summary>
    public long MovedValueBytes => Volatile.Read(ref movedValueBytes);

    /// <summary>Segments that are given up, though tables refer to them yet.</summary>
    public IReadOnlySet<ulong> Condemned => space.IsLow ? fullDiskPicker.Condemned : collector.Condemned;

    /// <summary>Writes the oldest waiting memtable to a level-0 table; false if none waits.</summary>
    /// <param name="mayMerge">Whether there may be anything to merge, which on a full disk comes first.</param>
    // Crash order:
    //   1. Write the table, sync it, sync the directory.   Crash: an orphan; the log still has the entries.
    //   2. One manifest edit adds the table, makes its logs obsolete, and keeps those that hold values of the table:
    //      all or nothing (invariants I3, I5). The logs are sealed and synced, or a rotation had failed.
    //   3. Publish the version; other logs go with their last reader. Crash: unlisted logs, deleted at open.
    public bool FlushOldest(bool mayMerge)
    {
        var version = state.Acquire();
        var isDone = false;
        try
        {
            if (version.Immutable.Length == 0) return false;
            var source = version.Immutable[^1];
            using var grant = space.IsLow ? space.TakeForFlush(source.UsedBytes, mayMerge) : null;
            pressure.Flushing.Begin(source.UsedBytes);
            var edit = new ManifestEdit
            {
                ObsoleteThroughLog = source.LastLogId,
                LastSequence = source.LastSequence,
                LastCommitTime = source.LastCommitTime,
            };
            if (options.PlantedBug == PlantedBug.AdvanceReplayBeforeTable)
            {
                lock (manifest.Gate) manifest.Append(new ManifestEdit { ObsoleteThroughLog = source.LastLogId });
            }

            var tables = WriteTables(new MemTableIterator(source), 0, _ => false, null, null, null);
            KeepSegments(edit, source, tables, manifest);
            installer.Install(edit, [], tables, source);
            archiver?.Wake();
            var bytes = tables.Sum(table => table.FileLength);
            Volatile.Write(ref flushedTableBytes, flushedTableBytes == 0 ? bytes : ((3 * flushedTableBytes) + bytes) / 4);
            Volatile.Write(ref flushBytesWritten, flushBytesWritten + bytes);
            if (bytes > 0) pressure.MemoryPerTableByte = (double)source.UsedBytes / bytes;
            Volatile.Write(ref flushes, flushes + 1);
            isDone = true;
            return true;
        }
        finally
        {
            pressure.Flushing.End(isDone);
            version.Release();
        }
    }

    /// <summary>
    /// Lists the segments of a memtable that its tables refer to, or that the archive does not have: they are not replayed any more,
    /// but stay. Those that it has had meanwhile go with the edit that lists them.
    /// </summary>
    public static void KeepSegments(ManifestEdit edit, MemTable source, IReadOnlyList<TableInfo> tables, Manifest manifest)
    {
        bool isArchived;
        lock (manifest.Gate) isArchived = manifest.State.Archive is not null;
        foreach (var segment in source.Segments)
        {
            if (isArchived || tables.Any(table => table.References.Any(reference => reference.SegmentId == segment.Id)))
                edit.AddedSegments.Add(segment.Info);
        }
    }

    /// <summary>Merges what most needs it; false if nothing does.</summary>
    /// <param name="pause">
    /// Called between tables and now and then: lets memtables be written meanwhile, or gives up by throwing.
    /// </param>
    public bool Compact(Action pause) => Compact(
        tables => space.IsLow ? fullDiskPicker.Pick(tables, state.OldestReadableSequence(), space.MostMovedBytes) : Pick(tables), pause);

    /// <summary>Merges all tables, on a full disk one after the other.</summary>
    /// <param name="pause">As above.</param>
    public void CompactAll(Action pause)
    {
        while (space.IsLow)
        {
            if (!Compact(tables => fullDiskPicker.PickAll(tables, state.OldestReadableSequence()), pause)) return;
        }

        Compact(CompactionPicker.PickAll, pause);
    }

    bool Compact(Func<TableSet, CompactionPlan?> pick, Action pause)
    {
        StoreVersion? version = state.Acquire();
        var isDone = false;
        try
        {
            var isLow = space.IsLow;
            var plan = pick(version.Tables);
            if (plan is null) return false;
            var sinks = plan.OutputLevel == 0 ? [] : plan.Inputs.Where(table => table.Info.Level == 0);
            pressure.Merging.Begin(sinks.Sum(table => table.Info.FileLength));
            if (plan.IsMove)
            {
                Move(plan);
            }
            else if (isLow)
            {
                version.Release();
                version = null; // Only this thread takes tables away: those of the plan stay.
                MergeInSteps(plan, pause);
            }
            else
            {
                Merge(version.Tables, plan, () =>
                {
                    pause();
                    // What is kept for a full disk is for merges that take no more than there is.
                    if (space.IsLow) space.ThrowFull(plan.Bytes);
                });
            }

            Volatile.Write(ref compactions, compactions + 1);
            isDone = true;
            return true;
        }
        finally
        {
            pressure.Merging.End(isDone);
            version?.Release();
        }
    }

    /// <summary>Looks anew how far behind the background is.</summary>
    public void MeasureDebt()
    {
        lock (debtGate) // The last to measure has seen the newest version.
        {
            var version = state.Acquire();
            pressure.Debt = WriteDebt.Measure(version, BatchBytes(version.Tables), options.LevelZeroTables);
            version.Release();
        }
    }

    /// <summary>Bytes of level 0 that start a merge: what memtables become differs with the values.</summary>
    long BatchBytes(TableSet tables)
    {
        var one = Volatile.Read(ref flushedTableBytes);
        if (one == 0) one = tables.LevelZero.Length > 0 ? tables.LevelBytes(0) / tables.LevelZero.Length : options.MemTableBytes;
        return one * options.LevelZeroTables;
    }

    // Merges and collection take turns, so that neither waits for ever; flushes wait for neither.
    CompactionPlan? Pick(TableSet tables)
    {
        var collection = collector.Pick(tables);
        collectsNext = !collectsNext;
        if (collection is not null && collectsNext && tables.LevelZero.Length <= options.LevelZeroTables) return collection;
        return picker.Pick(tables, BatchBytes(tables), state.OldestReadableSequence()) ?? collection;
    }

    // One edit takes the tables out of their level and puts them into another: before it or after it, never both or neither.
    // The files stay as they are. Readers of older versions keep the table they have; both names stand for one file.
    void Move(CompactionPlan plan)
    {
        var moved = plan.Inputs.Select(table => table.Info with { Level = plan.OutputLevel }).ToList();
        if (options.PlantedBug == PlantedBug.MoveInTwoEdits) RemoveAndAddAgain(plan.Inputs);
        installer.Install(new ManifestEdit(), plan.Inputs, moved, null, isMove: true);
        Volatile.Write(ref moves, moves + 1);
    }

    // A planted bug: for a moment the tables are in no level.
    void RemoveAndAddAgain(Table[] tables)
    {
        var removal = new ManifestEdit();
        removal.RemovedTables.AddRange(tables.Select(table => table.Info.Id));
        var addition = new ManifestEdit();
        lock (manifest.Gate)
        {
            var segments = manifest.State.Segments.Values.ToArray();
            var dropped = manifest.Append(removal);
            addition.AddedSegments.AddRange(segments.Where(segment => dropped.Contains(segment.Id)));
        }

        addition.AddedTables.AddRange(tables.Select(table => table.Info));
        lock (manifest.Gate) manifest.Append(addition);
    }

    // Crash order (invariant I4):
    //   1. Write moved values and outputs, sync each, sync the directory. Crash: orphans; inputs intact, tombstones included.
    //   2. One manifest edit: minus inputs, plus outputs and segments of moved values; with the last reference a condemned
    //      segment goes (I5).                              Crash before it is durable: as 1. After: as 3.
    //   3. Publish the version; inputs go with their last reader. Crash: unlisted files, deleted at open.
    // A failure of 2 leaves unknown which side counts: neither is deleted, the store is poisoned.
    void Merge(TableSet tables, CompactionPlan plan, Action pause)
    {
        // Memtables and tables above the inputs are newer; what was flushed since the plan was made lies above, too. A merge
        // within level 0 keeps its tombstones: older tables of that level may hold their keys.
        var mover = new ValueMover(files, values, numbers, options, collector.Condemned);
        var outputs = WriteTables(
            new MergeIterator([.. Iterate(plan.Inputs)]), plan.OutputLevel,
            key => plan.OutputLevel > 0 && !tables.MayContainBelow(plan.OutputLevel, key), pause, mover,
            (key, sequence) => IsShadowedAbove(tables, plan, key, sequence));
        if (options.PlantedBug == PlantedBug.DeleteInputsBeforeEdit)
        {
            foreach (var input in plan.Inputs) files.FileSystem.Delete(input.Path);
            files.SyncDirectory();
        }

        InstallMerge(plan.Inputs, outputs, mover);
        Volatile.Write(ref movedValueBytes, movedValueBytes + mover.Bytes);
        CountMerge(plan.Bytes, outputs);
    }

    // What a table above the inputs has a newer entry for need not be moved: it is dropped, as if it had met that entry. That is
    // visible to every reader, and durable; only this thread could take its table away, and what is flushed meanwhile is newer still.
    bool IsShadowedAbove(TableSet tables, CompactionPlan plan, ReadOnlySpan<byte> key, ulong oldestReadable)
    {
        var top = plan.Inputs.Min(table => table.Info.Level);
        if (top == 0) return false;
        if (options.PlantedBug == PlantedBug.DropShadowedUnderSnapshot) oldestReadable = state.VisibleSequence;
        using var read = state.Read();
        return tables.HasNewer(top, read.Slot, key, oldestReadable);
    }

    void InstallMerge(Table[] inputs, List<TableInfo> outputs, ValueMover mover)
    {
        var edit = new ManifestEdit();
        edit.AddedSegments.AddRange(mover.Written.Select(segment => segment.Info));
        if (options.PlantedBug == PlantedBug.DropCondemnedBeforeEdit)
        {
            foreach (var id in collector.Condemned) files.TryDelete(files.LogPath(id));
            files.SyncDirectory();
        }

        try
        {
            installer.Install(edit, inputs, outputs, null);
        }
        catch (Exception cause) when (cause is not InDoubtException)
        {
            mover.Abandon();
            throw;
        }
    }

    // On a full disk a merge gives back as it goes: a few tables of the output level are replaced by an edit of their own, so that
    // no more than those have to be there twice. The table above stays until the last step. Meanwhile some of its
    // entries are in the output level, too, or vanished as tombstones: the entries above are found first, and are the same
    // or as good. EntryFilter drops the second of two when they meet again, here or after a crash. A step does not begin
    // before the space is there that it may need (see SpaceReserve).
    void MergeInSteps(CompactionPlan plan, Action pause)
    {
        var upper = plan.Inputs.Where(table => table.Info.Level != plan.OutputLevel).ToArray();
        var lower = new Queue<Table>(plan.Inputs.Where(table => table.Info.Level == plan.OutputLevel)
            .OrderBy(table => table.Info.SmallestKey, KeyOrder.Instance));
        var condemned = fullDiskPicker.Condemned;
        byte[]? after = null;
        do
        {
            var step = TakeStep(lower, upper.Sum(table => table.Info.FileLength));
            var isLast = lower.Count == 0;
            Table[] sources = [.. upper, .. step];
            using var grant = space.TakeForMerge(
                sources.Sum(table => table.Info.FileLength + condemned.Sum(id => FullDiskPicker.LiveBytes(table, id))));
            // Taken for each step: a version that is held holds the files of its tables.
            var version = state.Acquire();
            try
            {
                var mover = new ValueMover(files, values, numbers, options, condemned);
                var through = isLast ? null : step[^1].Info.LargestKey;
                var outputs = WriteTables(
                    new RangeIterator(new MergeIterator([.. Iterate(sources)]), after, through), plan.OutputLevel,
                    key => plan.OutputLevel > 0 && !version.Tables.MayContainBelow(plan.OutputLevel, key), pause, mover,
                    (key, sequence) => IsShadowedAbove(version.Tables, plan, key, sequence));
                if (options.PlantedBug == PlantedBug.StepInTwoEdits) RemoveAndAddAgain(step);
                InstallMerge(isLast ? sources : step, outputs, mover);
                Volatile.Write(ref movedValueBytes, movedValueBytes + mover.Bytes);
                CountMerge(step.Sum(table => table.Info.FileLength), outputs);
                after = through;
            }
            finally
            {
                version.Release();
            }
        }
        while (lower.Count > 0);
    }

    // At least one; more where they are small, lest they become smaller still.
    Table[] TakeStep(Queue<Table> lower, long bytes)
    {
        var step = new List<Table>();
        while (lower.TryPeek(out var next) && (step.Count == 0 || space.IsGoodForMerge(bytes + next.Info.FileLength)))
        {
            bytes += next.Info.FileLength;
            step.Add(lower.Dequeue());
        }

        return [.. step];
    }

    void CountMerge(long bytesRead, List<TableInfo> outputs)
    {
        Volatile.Write(ref mergeBytesRead, mergeBytesRead + bytesRead);
        Volatile.Write(ref mergeBytesWritten, mergeBytesWritten + outputs.Sum(table => table.FileLength));
    }

    static IEnumerable<EntryIterator> Iterate(Table[] tables) =>
        tables.Where(table => table.Info.Level == 0).Select(table => table.CreateSequentialIterator())
            .Concat(tables.Where(table => table.Info.Level > 0).GroupBy(table => table.Info.Level).Select(IterateLevel));

    static EntryIterator IterateLevel(IEnumerable<Table> tables) =>
        new LevelIterator([.. tables.OrderBy(table => table.Info.SmallestKey, KeyOrder.Instance)], isSequential: true);

    List<TableInfo> WriteTables(
        EntryIterator source, int level, KeyPredicate isBottom, Action? pause, ValueMover? mover, ShadowPredicate? isShadowed)
    {
        var oldestReadable = state.OldestReadableSequence();
        var filter = new EntryFilter(oldestReadable);
        var now = Expiry.Now(options.TimeProvider);
        var written = new List<TableInfo>();
        TableBuilder? builder = null;
        var sinceLastPause = 0;
        try
        {
            for (source.SeekToFirst(); source.IsValid; source.Next())
            {
                if (++sinceLastPause == 256)
                {
                    sinceLastPause = 0;
                    pause?.Invoke();
                }

                // An expired put leaves a tombstone: an older value of its key may lie below.
                var hasExpired = Expiry.HasPassed(source.Kind, source.Value, now);
                var kind = hasExpired ? EntryKind.Delete : source.Kind;
                var isDroppable = kind == EntryKind.Delete
                    && (isBottom(source.Key) || options.PlantedBug == PlantedBug.DropTombstonesEarly
                        || (hasExpired && options.PlantedBug == PlantedBug.DropExpiredEarly));
                var keeps = filter.Keeps(source.Key, source.Sequence, isDroppable, out var isNewKey);
                if (!keeps) continue;
                var stored = hasExpired ? default : source.Value;
                if (mover is not null && mover.Wants(kind, stored) && isShadowed!(source.Key, oldestReadable)) continue;
                // All versions of a key stay in one table: tables of a level must not overlap.
                if (builder is not null && isNewKey && level > 0 && builder.SizeBytes >= options.TableBytes)
                {
                    written.Add(FinishTable(ref builder, level));
                    pause?.Invoke();
                }

                builder ??= new TableBuilder(files, numbers.Next(), options.BlockBytes);
                if (mover is not null) stored = mover.Move(source.Key, source.Sequence, kind, stored);
                builder.Add(source.Key, source.Sequence, kind, stored);
            }

            if (builder is not null) written.Add(FinishTable(ref builder, level));
            mover?.Finish();
            if (written.Count > 0 && options.PlantedBug != PlantedBug.SkipDirectorySyncOfTable) files.SyncDirectory();
            return written;
        }
        catch
        {
            builder?.Dispose();
            mover?.Abandon();
            foreach (var table in written) files.TryDelete(files.TablePath(table.Id));
            throw;
        }
    }

    TableInfo FinishTable(ref TableBuilder? builder, int level)
    {
        var table = builder!.Finish(level, options.PlantedBug);
        builder.Dispose();
        builder = null;
        return table;
    }

    delegate bool KeyPredicate(ReadOnlySpan<byte> key);

    delegate bool ShadowPredicate(ReadOnlySpan<byte> key, ulong oldestReadable);
}
