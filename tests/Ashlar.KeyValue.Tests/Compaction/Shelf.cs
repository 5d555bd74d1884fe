using System.Text;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>Real tables on a disk in memory, put into levels by hand, newest of level 0 first.</summary>
sealed class Shelf : IDisposable
{
    readonly StoreFiles files = new(new SimulatedFileSystem(isRecording: false), "/shelf");
    readonly BlockCache cache = new(1 << 20);
    readonly List<Table> tables = [];
    ulong sequence = 1_000_000;

    public Shelf() => files.FileSystem.CreateDirectory("/shelf");

    /// <summary>Adds a table with a number of entries from one key to another, of which the first are tombstones.</summary>
    public Table Add(int level, int from, int to, int entries = 10, int tombstones = 0)
    {
        using var builder = new TableBuilder(files, (ulong)tables.Count + 1, 4096);
        sequence -= (ulong)entries;
        for (var i = 0; i < entries; i++)
        {
            var key = Encoding.UTF8.GetBytes($"{from + ((to - from) * (long)i / Math.Max(1, entries - 1)):d9}");
            if (i < tombstones) builder.Add(key, sequence + (ulong)i, EntryKind.Delete, []);
            else builder.Add(key, sequence + (ulong)i, EntryKind.Put, new byte[50]);
        }

        var table = Table.Open(files, builder.Finish(level), cache, new ValueSegments(files, cache));
        tables.Add(table);
        return table;
    }

    /// <summary>Adds a table in which all but the last few entries expire at one moment, in milliseconds.</summary>
    public Table AddExpiring(int level, int from, int to, long expiresAt, int entries = 10, int lasting = 0)
    {
        using var builder = new TableBuilder(files, (ulong)tables.Count + 1, 4096);
        sequence -= (ulong)entries;
        var stored = new byte[58];
        Expiry.Write(stored, expiresAt);
        for (var i = 0; i < entries; i++)
        {
            var key = Encoding.UTF8.GetBytes($"{from + ((to - from) * (long)i / Math.Max(1, entries - 1)):d9}");
            var expires = i < entries - lasting;
            builder.Add(key, sequence + (ulong)i, expires ? EntryKind.ExpiringPut : EntryKind.Put, stored);
        }

        var table = Table.Open(files, builder.Finish(level), cache, new ValueSegments(files, cache));
        tables.Add(table);
        return table;
    }

    /// <summary>Adds tables of a level that share a range evenly.</summary>
    public void AddMany(int level, int count, int from, int to, int entries = 10)
    {
        for (var i = 0; i < count; i++)
        {
            var start = from + ((to - from) * (long)i / count);
            Add(level, (int)start, (int)(from + ((to - from) * (long)(i + 1) / count)) - 1, entries);
        }
    }

    public TableSet ToSet() => TableSet.Create(tables);

    public void Dispose()
    {
        foreach (var table in tables) table.Release();
    }
}
