using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>Writes memtables to tables and merges tables. One thread at a time. Owns the crash order of both.</summary>
sealed class Compactor(
    StoreFiles files, StoreState state, Manifest manifest, BlockCache cache, FileNumbers numbers, KeyValueOptions options,
    PoisonLatch poison)
{
    readonly CompactionPicker picker = new(options);
    long flushes;
    long compactions;
    long bytesWritten;

    public long Flushes => Volatile.Read(ref flushes);

    public long Compactions => Volatile.Read(ref compactions);

    /// <summary>Bytes of tables written since the store was opened.</summary>
    public long BytesWritten => Volatile.Read(ref bytesWritten);

    /// <summary>Writes the oldest waiting memtable to a level-0 table; false if none waits.</summary>
    // Crash order:
    //   1. Write the table, sync it, sync the directory.   Crash: an orphan; the log still has the entries.
    //   2. One manifest edit adds the table and makes its logs obsolete: both or neither (invariant I3).
    //   3. Publish the version, delete the logs.           Crash: unlisted logs, deleted at open.
    public bool FlushOldest()
    {
        var version = state.Acquire();
        try
        {
            if (version.Immutable.Length == 0) return false;
            var source = version.Immutable[^1];
            var edit = new ManifestEdit
            {
                ObsoleteThroughLog = source.LastLogId,
                LastSequence = source.LastSequence,
                LastCommitTime = source.LastCommitTime,
            };
            if (options.PlantedBug == PlantedBug.AdvanceReplayBeforeTable)
                Install(new ManifestEdit { ObsoleteThroughLog = source.LastLogId }, [], [], null);
            var tables = WriteTables(new MemTableIterator(source), 0, _ => false, null);
            Install(edit, [], tables, source);
            Volatile.Write(ref flushes, flushes + 1);
            return true;
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>Merges what most needs it; false if nothing does.</summary>
    /// <param name="everything">Whether all tables are merged, needed or not.</param>
    /// <param name="pause">
    /// Called between tables and now and then: lets memtables be written meanwhile, or gives up by throwing.
    /// </param>
    public bool Compact(bool everything, Action pause)
    {
        var version = state.Acquire();
        try
        {
            var plan = everything ? CompactionPicker.PickAll(version.Tables) : picker.Pick(version.Tables);
            if (plan is null) return false;
            Merge(version.Tables, plan, pause);
            Volatile.Write(ref compactions, compactions + 1);
            return true;
        }
        finally
        {
            version.Release();
        }
    }

    // Crash order (invariant I4):
    //   1. Write the outputs, sync each, sync the directory.   Crash: orphans; inputs intact, tombstones included.
    //   2. One manifest edit: minus inputs, plus outputs.      Crash before it is durable: as 1. After: as 3.
    //   3. Publish the version; inputs go with their last reader. Crash: unlisted files, deleted at open.
    // A failure of 2 leaves unknown which side counts: neither is deleted, the store is poisoned.
    void Merge(TableSet tables, CompactionPlan plan, Action pause)
    {
        var sources = plan.Inputs.Where(table => table.Info.Level == 0).Select(table => table.CreateIterator(fillCache: false))
            .Concat(plan.Inputs.Where(table => table.Info.Level > 0).GroupBy(table => table.Info.Level).Select(IterateLevel));
        // Memtables and tables above the inputs are newer; what was flushed since the plan was made lies above, too.
        var outputs = WriteTables(
            new MergeIterator([.. sources]), plan.OutputLevel, key => !tables.MayContainBelow(plan.OutputLevel, key), pause);
        var edit = new ManifestEdit();
        edit.RemovedTables.AddRange(plan.Inputs.Select(table => table.Info.Id));
        if (options.PlantedBug == PlantedBug.DeleteInputsBeforeEdit)
        {
            foreach (var input in plan.Inputs) files.FileSystem.Delete(input.Path);
            files.SyncDirectory();
        }

        Install(edit, plan.Inputs, outputs, null);
    }

    static EntryIterator IterateLevel(IEnumerable<Table> tables) =>
        new LevelIterator([.. tables.OrderBy(table => table.Info.SmallestKey, KeyOrder.Instance)], fillCache: false);

    List<TableInfo> WriteTables(EntryIterator source, int level, KeyPredicate isBottom, Action? pause)
    {
        var filter = new EntryFilter(state.OldestReadableSequence());
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
                // All versions of a key stay in one table: tables of a level must not overlap.
                if (builder is not null && isNewKey && level > 0 && builder.SizeBytes >= options.TableBytes)
                {
                    written.Add(FinishTable(ref builder, level));
                    pause?.Invoke();
                }

                builder ??= new TableBuilder(files, numbers.Next(), options.BlockBytes);
                builder.Add(source.Key, source.Sequence, kind, hasExpired ? default : source.Value);
            }

            if (builder is not null) written.Add(FinishTable(ref builder, level));
            if (written.Count > 0 && options.PlantedBug != PlantedBug.SkipDirectorySyncOfTable) files.SyncDirectory();
            return written;
        }
        catch
        {
            builder?.Dispose();
            foreach (var table in written) files.TryDelete(files.TablePath(table.Id));
            throw;
        }
    }

    TableInfo FinishTable(ref TableBuilder? builder, int level)
    {
        var table = builder!.Finish(level, options.PlantedBug);
        builder.Dispose();
        builder = null;
        Volatile.Write(ref bytesWritten, bytesWritten + table.FileLength);
        return table;
    }

    delegate bool KeyPredicate(ReadOnlySpan<byte> key);

    void Install(ManifestEdit edit, Table[] inputs, List<TableInfo> outputs, MemTable? flushed)
    {
        poison.ThrowIfSet();
        // Opened before the edit: a table that cannot be read back is not installed.
        var opened = new List<Table>();
        try
        {
            foreach (var output in outputs) opened.Add(Table.Open(files, output, cache));
        }
        catch
        {
            foreach (var table in opened) table.Release();
            foreach (var output in outputs) files.TryDelete(files.TablePath(output.Id));
            throw;
        }

        edit.AddedTables.AddRange(outputs);
        ulong[] obsoleteLogs = [];
        lock (manifest.Gate)
        {
            if (edit.ObsoleteThroughLog is { } through)
                obsoleteLogs = [.. manifest.State.Logs.Keys.Where(id => id <= through)];
            try
            {
                manifest.Append(edit);
            }
            catch (Exception cause)
            {
                foreach (var table in opened) table.Release();
                throw new InDoubtException(cause);
            }
        }

        state.Replace(old =>
        {
            var tables = TableSet.Create(old.Tables.All().Except(inputs).Concat(opened));
            var version = new StoreVersion(old.Active, [.. old.Immutable.Where(table => table != flushed)], tables);
            tables.Release();
            return version;
        });
        foreach (var table in opened) table.Release();
        foreach (var input in inputs) input.MarkObsolete();
        foreach (var id in obsoleteLogs) files.TryDelete(files.LogPath(id));
    }
}
