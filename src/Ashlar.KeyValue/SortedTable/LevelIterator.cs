using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>Walks the tables of one level, which follow each other without overlap; opens one table at a time.</summary>
sealed class LevelIterator(Table[] tables, bool isSequential = false) : EntryIterator
{
    EntryIterator? current;
    EntryIterator? opened;
    int at;

    public override bool IsValid => current is not null;

    public override ReadOnlySpan<byte> Key => current!.Key;

    public override ulong Sequence => current!.Sequence;

    public override EntryKind Kind => current!.Kind;

    public override ReadOnlySpan<byte> Value => current!.Value;

    /// <summary>Index of the first table whose largest key is at or after <paramref name="key"/>.</summary>
    public static int FindTable(Table[] tables, ReadOnlySpan<byte> key)
    {
        var low = 0;
        var high = tables.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (tables[middle].Info.LargestKey.AsSpan().SequenceCompareTo(key) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    public override void Close()
    {
        current = null;
        opened?.Close();
        opened = null;
    }

    public override void SeekToFirst()
    {
        if (Open(0)) current!.SeekToFirst();
    }

    public override void SeekToLast()
    {
        if (Open(tables.Length - 1)) current!.SeekToLast();
    }

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence)
    {
        if (!Open(FindTable(tables, key))) return;
        current!.Seek(key, sequence);
        // All of the key's entries here may be newer than asked for: then the place is the start of the next table.
        if (!current.IsValid && Open(at + 1)) current!.SeekToFirst();
    }

    public override void SeekBefore(ReadOnlySpan<byte> key)
    {
        var found = FindTable(tables, key);
        if (Open(found))
        {
            current!.SeekBefore(key);
            if (current.IsValid) return;
        }

        if (Open(found - 1)) current!.SeekToLast();
    }

    public override void Next()
    {
        current!.Next();
        if (!current.IsValid && Open(at + 1)) current!.SeekToFirst();
    }

    public override void Previous()
    {
        current!.Previous();
        if (!current.IsValid && Open(at - 1)) current!.SeekToLast();
    }

    public override ulong NewestOfRun => current!.NewestOfRun;

    public override bool IsRunBefore(byte[]? key) => current!.IsRunBefore(key);

    public override bool IsRunFrom(byte[]? key) => current!.IsRunFrom(key);

    public override void NextRun()
    {
        if (Open(at + 1)) current!.SeekToFirst();
    }

    public override void PreviousRun()
    {
        if (Open(at - 1)) current!.SeekToLast();
    }

    bool Open(int table)
    {
        if (table < 0 || table >= tables.Length)
        {
            current = null;
            return false;
        }

        if (opened is null || table != at)
        {
            Close();
            opened = isSequential ? tables[table].CreateSequentialIterator() : tables[table].CreateIterator();
            at = table;
        }

        current = opened;
        return true;
    }
}
