using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Replaces tables by what they are merged to, or by themselves in another level. Owns the crash order of merges.</summary>
// Crash order (invariant I4):
//   1. Write moved values and outputs, sync each, sync the directory. Crash: orphans; inputs intact, tombstones included.
//   2. One manifest edit: minus inputs, plus outputs and segments of moved values; with the last reference a victim
//      segment goes (I5).                              Crash before it is durable: as 1. After: as 3.
//   3. Publish the version; inputs go with their last reader. Crash: unlisted files, deleted at open.
// A failure of 2 leaves unknown which side counts: neither is deleted, the store is poisoned.
sealed class TableMerge(EngineContext engine, TableWriter writer, TableInstaller installer, CompactionCounters counters)
{
    /// <summary>Merges all inputs of a plan at once.</summary>
    /// <param name="tables">What there is.</param>
    /// <param name="plan">What to merge.</param>
    /// <param name="victims">Segments that values are moved out of.</param>
    /// <param name="pause">Called between tables and now and then; gives up by throwing.</param>
    public void Run(TableSet tables, CompactionPlan plan, IReadOnlySet<ulong> victims, Action pause) =>
        Replace(
            tables, plan, new MergeIterator([.. Iterate(plan.Inputs)]), plan.Inputs, plan.Inputs, engine.Options.TableBytes, victims,
            pause);

    /// <summary>Merges the part of some inputs that lies between two keys.</summary>
    /// <param name="tables">What there is.</param>
    /// <param name="plan">What the step belongs to.</param>
    /// <param name="sources">The inputs of the step.</param>
    /// <param name="replaced">Those of them that go; what lies outside of the keys in the others stays there.</param>
    /// <param name="after">Keys above this one; null: from the first.</param>
    /// <param name="through">Keys up to this one; null: to the last.</param>
    /// <param name="victims">Segments that values are moved out of.</param>
    /// <param name="pause">Called between tables and now and then; gives up by throwing.</param>
    public void RunStep(
        TableSet tables, CompactionPlan plan, Table[] sources, Table[] replaced, byte[]? after, byte[]? through,
        IReadOnlySet<ulong> victims, Action pause) =>
        Replace(
            tables, plan, new RangeIterator(new MergeIterator([.. Iterate(sources)]), after, through), sources, replaced,
            TableBytesOfStep(replaced.Where(table => table.Info.Level == plan.OutputLevel)), victims, pause);

    /// <summary>Puts the inputs of a plan into another level as they are.</summary>
    // One edit takes the tables out of their level and puts them into another: before it or after it, never both or neither.
    // The files stay as they are. Readers of older versions keep the table they have; both names stand for one file.
    public void Move(CompactionPlan plan)
    {
        var moved = plan.Inputs.Select(table => table.Info with { Level = plan.OutputLevel }).ToList();
        installer.Install(new ManifestEdit(), plan.Inputs, moved, null, isMove: true);
        counters.CountMove();
    }

    /// <summary>Takes the inputs of a plan away; nobody can see anything of them.</summary>
    // One edit; then the files go with their last reader. A crash before it finds them, after it finds unlisted files, which are deleted.
    public void Drop(CompactionPlan plan)
    {
        var removal = new ManifestEdit();
        installer.Install(removal, plan.Inputs, [], null);
        counters.CountDrop(plan.Inputs.Length);
    }

    void Replace(
        TableSet tables, CompactionPlan plan, EntryIterator source, Table[] inputs, Table[] replaced, long tableBytes,
        IReadOnlySet<ulong> victims, Action pause)
    {
        // Memtables and tables above the inputs are newer; what was flushed since the plan was made lies above, too. A merge
        // within level 0 keeps its tombstones: older tables of that level may hold their keys.
        var mover = new ValueMover(engine.Files, engine.Values, engine.Numbers, engine.Options, victims);
        var outputs = writer.Write(
            source, plan.OutputLevel, tableBytes, key => plan.OutputLevel > 0 && !tables.MayContainBelow(plan.OutputLevel, key), pause,
            mover, (key, oldestReadable) => IsShadowedAbove(tables, plan, key, oldestReadable), tables.Ranges, plan.Now);
        RequireWithin(outputs, inputs);
        var edit = new ManifestEdit();
        edit.AddedSegments.AddRange(mover.Written.Select(segment => segment.Info));
        try
        {
            installer.Install(edit, replaced, outputs, null);
        }
        catch (Exception cause) when (cause is not InDoubtException)
        {
            mover.Abandon();
            throw;
        }

        counters.CountMerge(
            replaced.Sum(table => table.Info.FileLength), outputs.Sum(table => table.FileLength), mover.Bytes);
    }

    // As many tables as there were, with some room for what comes from above: cut at a fixed size, each step would leave a table of the
    // little that is over, and files take whole pages.
    long TableBytesOfStep(IEnumerable<Table> replaced)
    {
        var bytes = replaced.Sum(table => table.Info.FileLength);
        var count = Math.Max(1, (bytes + (engine.Options.TableBytes / 2)) / engine.Options.TableBytes);
        return Math.Max(engine.Options.TableBytes, bytes / count * 5 / 4);
    }

    // What a table above the inputs has a newer entry for need not be moved: it is dropped, as if it had met that entry. That is
    // visible to every reader, and durable; only this thread could take its table away, and what is flushed meanwhile is newer still.
    bool IsShadowedAbove(TableSet tables, CompactionPlan plan, ReadOnlySpan<byte> key, ulong oldestReadable)
    {
        var top = plan.Inputs.Min(table => table.Info.Level);
        if (top == 0) return false;
        using var read = engine.State.Read();
        return tables.HasNewer(top, read.Slot, key, oldestReadable);
    }

    // Beyond its inputs a merge could cover what other tables of its level hold.
    static void RequireWithin(List<TableInfo> outputs, Table[] inputs)
    {
        foreach (var output in outputs)
        {
            Invariant.Require(Array.Exists(inputs, input => KeyOrder.Instance.Compare(input.Info.SmallestKey, output.SmallestKey) <= 0));
            Invariant.Require(Array.Exists(inputs, input => KeyOrder.Instance.Compare(input.Info.LargestKey, output.LargestKey) >= 0));
        }
    }

    static IEnumerable<EntryIterator> Iterate(Table[] tables) =>
        tables.Where(table => table.Info.Level == 0).Select(table => table.CreateSequentialIterator())
            .Concat(tables.Where(table => table.Info.Level > 0).GroupBy(table => table.Info.Level).Select(IterateLevel));

    static EntryIterator IterateLevel(IEnumerable<Table> tables) =>
        new LevelIterator([.. tables.OrderBy(table => table.Info.SmallestKey, KeyOrder.Instance)], isSequential: true);
}
