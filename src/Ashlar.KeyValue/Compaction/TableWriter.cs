using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.SortedTable;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Writes what an iterator gives to tables of one level, without what no reader can see any more. They are durable when it returns, with
/// their names; nothing lists them yet.
/// </summary>
sealed class TableWriter(EngineContext engine)
{
    const int EntriesBetweenPauses = 256;

    public delegate bool KeyPredicate(ReadOnlySpan<byte> key);

    public delegate bool ShadowPredicate(ReadOnlySpan<byte> key, ulong oldestReadable);

    /// <summary>Writes a memtable, all of it.</summary>
    public List<TableInfo> Write(EntryIterator source) => Write(source, 0, engine.Options.TableBytes, static _ => false, null, null, null);

    /// <summary>Writes a merge.</summary>
    /// <param name="source">The entries, in order.</param>
    /// <param name="level">Where the tables belong.</param>
    /// <param name="tableBytes">From this size on a table ends, but not within level 0.</param>
    /// <param name="isBottom">Whether nothing of a key lies below: its tombstones may vanish.</param>
    /// <param name="pause">Called between tables and now and then; gives up by throwing.</param>
    /// <param name="mover">Moves values; what it wrote is finished or abandoned with the tables.</param>
    /// <param name="isShadowed">Whether a value that would have to be moved is of no use to any reader.</param>
    public List<TableInfo> Write(
        EntryIterator source, int level, long tableBytes, KeyPredicate isBottom, Action? pause, ValueMover? mover,
        ShadowPredicate? isShadowed)
    {
        var readable = engine.State.ReadableSequences();
        var filter = new EntryFilter(readable);
        var now = Expiry.Now(engine.Options.TimeProvider);
        var written = new List<TableInfo>();
        ReferringTableBuilder? builder = null;
        var sinceLastPause = 0;
        try
        {
            for (source.SeekToFirst(); source.IsValid; source.Next())
            {
                if (++sinceLastPause == EntriesBetweenPauses)
                {
                    sinceLastPause = 0;
                    pause?.Invoke();
                }

                // An expired put leaves a tombstone: an older value of its key may lie below.
                var hasExpired = Expiry.HasPassed(source.Kind, source.Value, now);
                var kind = hasExpired ? EntryKind.Delete : source.Kind;
                var isDroppable = kind == EntryKind.Delete && isBottom(source.Key);
                var keeps = filter.Keeps(source.Key, source.Sequence, isDroppable, out var isNewKey);
                if (!keeps) continue;
                var stored = hasExpired ? default : source.Value;
                if (mover is not null && mover.Wants(kind, stored) && isShadowed!(source.Key, readable[0])) continue;
                // All versions of a key stay in one table: tables of a level must not overlap.
                if (builder is not null && isNewKey && level > 0 && builder.SizeBytes >= tableBytes)
                {
                    written.Add(Finish(ref builder, level));
                    pause?.Invoke();
                }

                builder ??= new ReferringTableBuilder(engine.Files, engine.Numbers.Next(), engine.Options.BlockBytes);
                if (mover is not null) stored = mover.Move(source.Key, source.Sequence, kind, stored);
                builder.Add(source.Key, source.Sequence, kind, stored);
            }

            if (builder is not null) written.Add(Finish(ref builder, level));
            mover?.Finish();
            if (written.Count > 0) engine.Files.SyncDirectory();
            return written;
        }
        catch
        {
            builder?.Dispose();
            mover?.Abandon();
            foreach (var table in written) engine.Files.TryDelete(engine.Files.TablePath(table.Id));
            throw;
        }
    }

    static TableInfo Finish(ref ReferringTableBuilder? builder, int level)
    {
        var table = builder!.Finish(level);
        builder.Dispose();
        builder = null;
        return table;
    }
}
