namespace Ashlar.KeyValue.Entries;

/// <summary>
/// Walks the entries of one source (memtable, table, level, or a merge of them) in <see cref="EntryOrder"/>, all versions and
/// tombstones included. Key and value stay readable until the next move.
/// </summary>
abstract class EntryIterator
{
    public abstract bool IsValid { get; }

    public abstract ReadOnlySpan<byte> Key { get; }

    public abstract ulong Sequence { get; }

    public abstract EntryKind Kind { get; }

    public abstract ReadOnlySpan<byte> Value { get; }

    public abstract void SeekToFirst();

    public abstract void SeekToLast();

    /// <summary>Moves to the first entry at or after (key, sequence).</summary>
    public abstract void Seek(ReadOnlySpan<byte> key, ulong sequence);

    public abstract void Next();

    public abstract void Previous();

    /// <summary>
    /// No entry of the run that it stands in is newer. A run is a table where several follow each other, else all of the source.
    /// </summary>
    public virtual ulong NewestOfRun => ulong.MaxValue;

    /// <summary>
    /// From an entry that is older than a sequence and lies before an end goes forward, past as many that do as it can at once.
    /// </summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="end">The first key behind; null: there is none.</param>
    public virtual void PassOlder(ulong sequence, byte[]? end)
    {
        if (NewestOfRun >= sequence) Next(); // Newer ones may lie between.
        else if (IsRunBefore(end)) NextRun();
        else Seek(end, ulong.MaxValue);
    }

    /// <summary>
    /// From an entry that is older than a sequence and does not lie before a start goes backward, past as many as it can at once.
    /// </summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="start">The first key; null: from the first of all.</param>
    public virtual void PassOlderBackward(ulong sequence, byte[]? start)
    {
        if (NewestOfRun >= sequence) Previous();
        else if (IsRunFrom(start)) PreviousRun();
        else SeekBefore(start);
    }

    /// <summary>Whether all keys of the run come before one; null comes behind all.</summary>
    public virtual bool IsRunBefore(byte[]? key) => key is null;

    /// <summary>Whether no key of the run comes before one; null comes before all.</summary>
    public virtual bool IsRunFrom(byte[]? key) => key is null;

    /// <summary>Goes to the first entry of the next run. Only of sources that say how new their runs are.</summary>
    public virtual void NextRun() => throw new NotSupportedException();

    /// <summary>Goes to the last entry of the run before. Only of sources that say how new their runs are.</summary>
    public virtual void PreviousRun() => throw new NotSupportedException();

    /// <summary>Gives back what the iterator holds of the cache; it may seek again.</summary>
    public virtual void Close()
    {
    }

    /// <summary>Moves to the last entry whose key is smaller than <paramref name="key"/>.</summary>
    public virtual void SeekBefore(ReadOnlySpan<byte> key)
    {
        Seek(key, ulong.MaxValue);
        if (IsValid) Previous();
        else SeekToLast();
    }
}
