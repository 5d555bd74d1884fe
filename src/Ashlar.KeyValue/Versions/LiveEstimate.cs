using Ashlar.KeyValue.SortedTable;

namespace Ashlar.KeyValue.Versions;

/// <summary>What of a store a reader of the newest state can reach, estimated.</summary>
/// <param name="ValueBytes">Bytes of values in segments, with their keys.</param>
/// <param name="TableBytes">Bytes of tables.</param>
sealed record LiveData(double ValueBytes, double TableBytes);

/// <summary>
/// Estimates how much of what tables refer to is live. A key that lies deeper, too, counts there only: how many do is found by looking up
/// a sample. Of the versions of a key that a table holds one counts, unless an open snapshot keeps the others.
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
            var share = run == runs.Length - 1 ? 1 : ShareOnlyThere(state, runs[run], runs.AsSpan(run + 1));
            foreach (var table in runs[run])
            {
                var kept = share * KeptShare(state, table);
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
        MaxOfLevels(tables, table => KeptShare(state, table) * ReferredBytes(table));

    /// <summary>
    /// What the level refers to that refers to the most, stale versions for snapshots included: without a look at any table.
    /// </summary>
    public static long MinReferredBytes(TableSet tables) => (long)MaxOfLevels(tables, table => ReferredBytes(table));

    /// <summary>Which share of a table's entries the next merge of it keeps.</summary>
    public static double KeptShare(StoreState state, Table table)
    {
        if (table.Info.MaxSequence > state.OldestReadableSequence()) return 1;
        using var read = state.Read(); // For each table anew: a long one would keep what others replace.
        return table.NewestShare(read.Slot);
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

    // Each key counts where its oldest version lies.
    static double ShareOnlyThere(StoreState state, Table[] run, ReadOnlySpan<Table[]> older)
    {
        var entries = run.Sum(table => table.Info.EntryCount);
        var samples = (int)Math.Min(entries, SamplesPerRun);
        var only = 0;
        var table = 0;
        var before = 0L; // Entries in the tables that were passed.
        for (var sample = 0; sample < samples; sample++)
        {
            var wanted = (long)((sample + 0.5) * entries / samples);
            while (wanted - before >= run[table].Info.EntryCount) before += run[table++].Info.EntryCount;
            using var read = state.Read(); // For each anew: a long one would keep what others replace.
            var key = run[table].BlockAt(read.Slot, (double)(wanted - before) / run[table].Info.EntryCount).KeyAt(0);
            if (!Holds(read.Slot, older, key)) only++;
        }

        return (double)only / samples;
    }

    static bool Holds(int slot, ReadOnlySpan<Table[]> runs, ReadOnlySpan<byte> key)
    {
        var hash = KeyHash.Compute(key);
        foreach (var run in runs)
        {
            var at = LevelIterator.FindTable(run, key);
            if (at < run.Length && run[at].Info.Covers(key) && run[at].TryFind(slot, key, hash, ulong.MaxValue, out _, out _)) return true;
        }

        return false;
    }
}
