using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Makes new tables part of the store: the second half of the crash order of flushes and merges. Both may do so at the same
/// time; from the edit to the published version one of them at a time.
/// </summary>
sealed class TableInstaller(EngineContext engine)
{
    /// <summary>Replaces tables by others, in one edit; with a memtable's table the memtable and its logs go.</summary>
    /// <param name="edit">What is to be written beside the tables.</param>
    /// <param name="inputs">Tables that go.</param>
    /// <param name="outputs">Tables that come, durable by now.</param>
    /// <param name="flushed">The memtable that the outputs hold; null if they come from tables.</param>
    /// <param name="isMove">Whether the outputs are the inputs, in another level: nobody deletes their files.</param>
    public void Install(ManifestEdit edit, Table[] inputs, List<TableInfo> outputs, MemTable? flushed, bool isMove = false)
    {
        engine.Poison.ThrowIfSet();
        // Opened before the edit: a table that cannot be read back is not installed.
        var opened = new List<Table>();
        try
        {
            foreach (var output in outputs) opened.Add(Table.Open(engine.Files, output, engine.Cache, engine.Values));
        }
        catch
        {
            foreach (var table in opened) table.Release();
            if (!isMove) Delete(outputs);
            throw;
        }

        edit.RemovedTables.AddRange(inputs.Select(table => table.Info.Id));
        edit.AddedTables.AddRange(outputs);
        List<ulong> dropped;
        using (engine.Manifest.Gate.Hold())
        {
            RangeTombstones? ranges;
            try
            {
                ranges = FollowRanges(edit, inputs, flushed?.Ranges);
                dropped = engine.Manifest.Append(edit);
            }
            catch (Exception cause)
            {
                foreach (var table in opened) table.Release();
                if (engine.Manifest.IsInDoubt) throw new InDoubtException(cause);
                if (!isMove) Delete(outputs);
                throw;
            }

            try
            {
                // Versions follow each other as the edits do.
                Publish(inputs, opened, flushed, ranges);
            }
            catch (Exception cause)
            {
                // The manifest says what no version does: the next edit would contradict it.
                throw new InDoubtException(cause);
            }
        }

        try
        {
            foreach (var input in inputs)
            {
                if (isMove) input.MoveTo(opened.Single(table => table.Info.Id == input.Info.Id));
                else input.MarkObsolete();
            }

            foreach (var table in opened) table.Release();
            foreach (var id in dropped) engine.Values.Retire(id);
        }
        catch (Exception cause)
        {
            // Whoever takes this for a merge that was not done deletes what the manifest names.
            throw new InDoubtException(cause);
        }
    }

    RangeTombstones? FollowRanges(ManifestEdit edit, Table[] inputs, RangeTombstones? flushed)
    {
        var version = engine.State.Acquire();
        try
        {
            return RangeRetirement.Follow(edit, engine.Manifest.State, version.Tables, inputs, flushed, engine.State.ReadableSequences());
        }
        finally
        {
            version.Release();
        }
    }

    void Publish(Table[] inputs, List<Table> opened, MemTable? flushed, RangeTombstones? ranges) => engine.State.Replace(old =>
    {
        var tables = TableSet.Create(old.Tables.All().Except(inputs).Concat(opened), ranges);
        var version = new StoreVersion(old.Active, [.. old.Immutable.Where(table => table != flushed)], tables);
        tables.Release();
        return version;
    });

    void Delete(List<TableInfo> outputs)
    {
        foreach (var output in outputs) engine.Files.TryDelete(engine.Files.TablePath(output.Id));
    }
}
