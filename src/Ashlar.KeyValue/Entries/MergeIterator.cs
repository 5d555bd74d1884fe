namespace Ashlar.KeyValue;

/// <summary>
/// Several sources as one. Sources are few (memtables, level-0 tables, one per deeper level), so the smallest is found by
/// looking at all of them: no heap to keep, cheap to set up.
/// </summary>
sealed class MergeIterator(EntryIterator[] sources) : EntryIterator
{
    EntryIterator? current;
    bool backward;

    public override bool IsValid => current is not null;

    public override ReadOnlySpan<byte> Key => current!.Key;

    public override ulong Sequence => current!.Sequence;

    public override EntryKind Kind => current!.Kind;

    public override ReadOnlySpan<byte> Value => current!.Value;

    public override void SeekToFirst()
    {
        foreach (var source in sources) source.SeekToFirst();
        backward = false;
        PickSmallest();
    }

    public override void SeekToLast()
    {
        foreach (var source in sources) source.SeekToLast();
        backward = true;
        PickLargest();
    }

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence)
    {
        foreach (var source in sources) source.Seek(key, sequence);
        backward = false;
        PickSmallest();
    }

    public override void SeekBefore(ReadOnlySpan<byte> key)
    {
        foreach (var source in sources) source.SeekBefore(key);
        backward = true;
        PickLargest();
    }

    public override void Next()
    {
        if (backward) throw new InvalidOperationException("A merge walks one way after each seek.");
        current!.Next();
        PickSmallest();
    }

    public override void Previous()
    {
        if (!backward) throw new InvalidOperationException("A merge walks one way after each seek.");
        current!.Previous();
        PickLargest();
    }

    public override void Close()
    {
        current = null;
        foreach (var source in sources) source.Close();
    }

    void PickSmallest()
    {
        EntryIterator? best = null;
        foreach (var source in sources)
        {
            if (!source.IsValid) continue;
            if (best is null || EntryOrder.Compare(source.Key, source.Sequence, best.Key, best.Sequence) < 0) best = source;
        }

        current = best;
    }

    void PickLargest()
    {
        EntryIterator? best = null;
        foreach (var source in sources)
        {
            if (!source.IsValid) continue;
            if (best is null || EntryOrder.Compare(source.Key, source.Sequence, best.Key, best.Sequence) > 0) best = source;
        }

        current = best;
    }
}
