namespace Ashlar.KeyValue.Entries;

/// <summary>
/// Several sources as one. Sources are few (memtables, level-0 tables, one per deeper level), so the next one is found by
/// looking at all of them: no heap to keep, cheap to set up. The runner-up is remembered: while the current source stays
/// ahead of it, as it does within a large level, a step costs one comparison.
/// </summary>
sealed class MergeIterator(EntryIterator[] sources) : EntryIterator
{
    EntryIterator? current;
    EntryIterator? runnerUp;
    bool backward;

    public override bool IsValid => current is not null;

    public override ReadOnlySpan<byte> Key => current!.Key;

    public override ulong Sequence => current!.Sequence;

    public override EntryKind Kind => current!.Kind;

    public override ReadOnlySpan<byte> Value => current!.Value;

    public override void SeekToFirst()
    {
        current = null;
        foreach (var source in sources) source.SeekToFirst();
        backward = false;
        Pick();
    }

    public override void SeekToLast()
    {
        current = null;
        foreach (var source in sources) source.SeekToLast();
        backward = true;
        Pick();
    }

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence)
    {
        current = null;
        foreach (var source in sources) source.Seek(key, sequence);
        backward = false;
        Pick();
    }

    public override void SeekBefore(ReadOnlySpan<byte> key)
    {
        current = null;
        foreach (var source in sources) source.SeekBefore(key);
        backward = true;
        Pick();
    }

    public override void Next()
    {
        if (backward) throw new InvalidOperationException("A merge walks one way after each seek.");
        var source = current!;
        current = null; // A source that fails leaves no position behind that looks like one.
        source.Next();
        Continue(source);
    }

    public override void Previous()
    {
        if (!backward) throw new InvalidOperationException("A merge walks one way after each seek.");
        var source = current!;
        current = null;
        source.Previous();
        Continue(source);
    }

    public override void Close()
    {
        current = runnerUp = null;
        foreach (var source in sources) source.Close();
    }

    void Continue(EntryIterator source)
    {
        if (source.IsValid && (runnerUp is null || IsAhead(source, runnerUp))) current = source;
        else Pick();
    }

    void Pick()
    {
        current = runnerUp = null;
        foreach (var source in sources)
        {
            if (!source.IsValid) continue;
            if (current is null || IsAhead(source, current)) (runnerUp, current) = (current, source);
            else if (runnerUp is null || IsAhead(source, runnerUp)) runnerUp = source;
        }
    }

    bool IsAhead(EntryIterator left, EntryIterator right)
    {
        var order = EntryOrder.Compare(left.Key, left.Sequence, right.Key, right.Sequence);
        return backward ? order > 0 : order < 0;
    }
}
