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

    /// <summary>Writes a memtable.</summary>
    /// <param name="source">The entries, in order.</param>
    /// <param name="ranges">Ranges that were deleted in it, which count with its table.</param>
    public List<TableInfo> Write(EntryIterator source, RangeTombstones? ranges) =>
        Write(source, 0, engine.Options.TableBytes, static _ => false, null, null, null, ranges, null);

    /// <summary>Writes a merge.</summary>
    /// <param name="source">The entries, in order.</param>
    /// <param name="level">Where the tables belong.</param>
    /// <param name="tableBytes">From this size on a table ends, but not within level 0.</param>
    /// <param name="isBottom">Whether nothing of a key lies below: its tombstones may vanish.</param>
    /// <param name="pause">Called between tables and now and then; gives up by throwing.</param>
    /// <param name="mover">Moves values; what it wrote is finished or abandoned with the tables.</param>
    /// <param name="isShadowed">Whether a value that would have to be moved is of no use to any reader.</param>
    /// <param name="ranges">Ranges that are deleted, durably: what they cover goes.</param>
    /// <param name="time">Tells what has expired; null: the clock does.</param>
    public List<TableInfo> Write(
        EntryIterator source, int level, long tableBytes, KeyPredicate isBottom, Action? pause, ValueMover? mover,
        ShadowPredicate? isShadowed, RangeTombstones? ranges, long? time)
    {
        var readable = engine.State.ReadableSequences();
        // Nobody reads below it, so all that it covers is gone.
        var applied = ranges?.NewestUpTo(readable[0]) ?? 0;
        var filter = new EntryFilter(readable);
        var now = time ?? engine.ExpiryClock.Now();
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
                var deletedBy = ranges?.StretchOf(source.Key).OldestAfter(source.Sequence) ?? ulong.MaxValue;
                var keeps = filter.Keeps(source.Key, source.Sequence, isDroppable, out var isNewKey, deletedBy);
                if (!keeps) continue;
                var stored = hasExpired ? default : source.Value;
                if (mover is not null && mover.Wants(kind, stored) && isShadowed!(source.Key, readable[0])) continue;
                // All versions of a key stay in one table: tables of a level must not overlap.
                if (builder is not null && isNewKey && level > 0 && builder.SizeBytes >= tableBytes)
                {
                    written.Add(Finish(ref builder, level, applied));
                    pause?.Invoke();
                }

                builder ??= new ReferringTableBuilder(engine.Files, engine.Numbers.Next(), engine.Options.BlockBytes);
                if (mover is not null) stored = mover.Move(source.Key, source.Sequence, kind, stored);
                builder.Add(source.Key, source.Sequence, kind, stored);
            }

            if (builder is not null) written.Add(Finish(ref builder, level, applied));
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

    static TableInfo Finish(ref ReferringTableBuilder? builder, int level, ulong applied)
    {
        var table = builder!.Finish(level) with { RangesAppliedThrough = applied };
        builder.Dispose();
        builder = null;
        return table;
    }
}
