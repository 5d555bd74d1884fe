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
