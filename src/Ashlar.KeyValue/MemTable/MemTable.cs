namespace Ashlar.KeyValue;

/// <summary>
/// Writes that are in the log and not yet in a table. The leader of a commit writes; readers need no lock and filter by
/// sequence what is not published yet.
/// </summary>
sealed unsafe class MemTable : SharedResource
{
    readonly SkipList entries = new();
    long count;

    public long UsedBytes => entries.UsedBytes;

    public long Count => Volatile.Read(ref count);

    public bool IsEmpty => Count == 0;

    /// <summary>Largest sequence in it; 0 while it is empty.</summary>
    public ulong LastSequence { get; private set; }

    /// <summary>
    /// The last log segment that holds entries of this table: once it is in a sorted table, logs up to here are
    /// obsolete.
    /// </summary>
    public ulong LastLogId { get; set; }

    /// <summary>Commit time of the newest group in it, known when it is full: kept when its logs go.</summary>
    public long LastCommitTime { get; set; }

    public SkipList Entries => entries;

    public void Add(ReadOnlySpan<byte> key, ulong sequence, EntryKind kind, ReadOnlySpan<byte> value)
    {
        entries.Insert(key, sequence, kind, value);
        LastSequence = sequence;
        Volatile.Write(ref count, count + 1);
    }

    /// <summary>
    /// Finds the newest entry of a key at or below a sequence. The value stays readable while this is referenced.
    /// </summary>
    public bool TryFind(ReadOnlySpan<byte> key, ulong sequence, out EntryKind kind, out ReadOnlySpan<byte> value)
    {
        var node = entries.FindAtLeast(key, sequence);
        if (node == null || !SkipList.KeyOf(node).SequenceEqual(key))
        {
            kind = EntryKind.None;
            value = default;
            return false;
        }

        kind = SkipList.KindOf(node);
        value = SkipList.ValueOf(node);
        return true;
    }

    protected override void Free() => entries.Free();
}
