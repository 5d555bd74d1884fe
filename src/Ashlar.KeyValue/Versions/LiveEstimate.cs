using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.SortedTable;

namespace Ashlar.KeyValue.Versions;

/// <summary>What of a store a reader of the newest state can reach, estimated.</summary>
/// <param name="ValueBytes">Bytes of values in segments, with their keys.</param>
/// <param name="TableBytes">Bytes of tables.</param>
sealed record LiveData(double ValueBytes, double TableBytes);

/// <summary>
/// Estimates how much of what tables refer to is live. A key that lies deeper, too, counts there only: how many do is found by looking up
/// a sample. Of the versions of a key that a table holds one counts, unless an open snapshot keeps the others. What lies in ranges that
/// are deleted for every reader does not count.
/// </summary>
static class LiveEstimate
{
    const int SamplesPerRun = 128;

    /// <summary>Estimates it, once for each set of tables: a sample of their blocks is read.</summary>
    public static LiveData Of(StoreState state, TableSet tables) => tables.Live ??= Compute(state, tables);

    static LiveData Compute(StoreState state, TableSet tables)
    {
        Table[][] runs = [.. tables.LevelZero.Select(table => new[] { table }), .. tables.Levels[1..].Where(level => level.Length > 0)];
        var (values, index) = (0.0, 0.0);
        for (var run = 0; run < runs.Length; run++)
        {
            var share = run == runs.Length - 1 ? 1 : ShareOnlyThere(state, runs[run], runs.AsSpan(run + 1), tables.Ranges);
            foreach (var table in runs[run])
            {
                var kept = share * KeptShare(state, tables, table);
                values += kept * ReferredBytes(table);
                index += kept * table.Info.FileLength;
            }
        }

        return new(values, index);
    }

    /// <summary>
    /// The same for values, less and cheaper: what is live of the level that refers to the most. Levels hold each key once.
    /// </summary>
    public static double MinValueBytes(StoreState state, TableSet tables) =>
        MaxOfLevels(tables, table => KeptShare(state, tables, table) * ReferredBytes(table));

    /// <summary>
    /// What the level refers to that refers to the most, stale versions for snapshots included: without a look at any table.
    /// </summary>
    public static long MinReferredBytes(TableSet tables) => (long)MaxOfLevels(tables, table => ReferredBytes(table));

    /// <summary>Which share of a table's entries the next merge of it keeps.</summary>
    public static double KeptShare(StoreState state, TableSet tables, Table table)
    {
        var oldestReadable = state.OldestReadableSequence();
        var isSeenByAll = table.Info.MaxSequence <= oldestReadable;
        if (tables.Ranges is null && !isSeenByAll) return 1;
        using var read = state.Read(); // For each table anew: a long one would keep what others replace.
        var left = tables.Ranges is null ? 1 : 1 - CoveredShare.Of(read.Slot, table, tables.Ranges, oldestReadable);
        return left > 0 && isSeenByAll ? left * table.NewestShare(read.Slot) : left;
    }

    /// <summary>Bytes of values, with their keys, that a table refers to, stale ones included.</summary>
    public static long ReferredBytes(Table table)
    {
        var bytes = 0L;
        foreach (var reference in table.Info.References) bytes += reference.LiveBytes;
        return bytes;
    }

    static double MaxOfLevels(TableSet tables, Func<Table, double> bytes)
    {
        var levelZero = tables.LevelZero.Select(bytes).DefaultIfEmpty().Max();
        return tables.Levels[1..].Select(level => level.Sum(bytes)).Append(levelZero).Max();
    }

    // Each key counts where its oldest version lies that no range has deleted for everybody. Entries of which one has tell nothing.
    static double ShareOnlyThere(StoreState state, Table[] run, ReadOnlySpan<Table[]> older, RangeTombstones? ranges)
    {
        var entries = run.Sum(table => table.Info.EntryCount);
        var samples = (int)Math.Min(entries, SamplesPerRun);
        var oldestReadable = ranges is null ? 0 : state.OldestReadableSequence();
        var (only, live) = (0, 0);
        var table = 0;
        var before = 0L; // Entries in the tables that were passed.
        for (var sample = 0; sample < samples; sample++)
        {
            var wanted = (long)((sample + 0.5) * entries / samples);
            while (wanted - before >= run[table].Info.EntryCount) before += run[table++].Info.EntryCount;
            using var read = state.Read(); // For each anew: a long one would keep what others replace.
            var block = run[table].BlockAt(read.Slot, (double)(wanted - before) / run[table].Info.EntryCount);
            var key = block.KeyAt(0);
            if (ranges is not null && CoveredShare.Covers(ranges, key, block.SequenceAt(0), oldestReadable)) continue;
            live++;
            if (!Holds(read.Slot, older, key, ranges, oldestReadable)) only++;
        }

        return live == 0 ? 1 : (double)only / live;
    }

    // A range that has deleted the newest entry of a key that is found has deleted those below, too.
    static bool Holds(int slot, ReadOnlySpan<Table[]> runs, ReadOnlySpan<byte> key, RangeTombstones? ranges, ulong oldestReadable)
    {
        var hash = KeyHash.Compute(key);
        foreach (var run in runs)
        {
            var at = LevelIterator.FindTable(run, key);
            if (at == run.Length || !run[at].Info.Covers(key)) continue;
            if (!run[at].TryFind(slot, key, hash, ulong.MaxValue, out var block, out var position)) continue;
            return ranges is null || !CoveredShare.Covers(ranges, key, block.SequenceAt(position), oldestReadable);
        }

        return false;
    }
}
