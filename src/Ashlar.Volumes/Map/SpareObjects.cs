namespace Ashlar.Volumes;

/// <summary>
/// Objects that wait to be used again, of all threads: a request may end on another thread than it began on. A bounded number; more
/// are left to the garbage collector.
/// </summary>
sealed class SpareObjects<T>
    where T : class
{
    readonly T?[] slots = new T?[64];

    /// <summary>Takes one; null when there is none.</summary>
    public T? Take()
    {
        foreach (ref var slot in slots.AsSpan())
            if (slot is not null && Interlocked.Exchange(ref slot, null) is { } taken) return taken;
        return null;
    }

    /// <summary>Keeps one, if there is a place.</summary>
    public void Put(T item)
    {
        foreach (ref var slot in slots.AsSpan())
            if (slot is null && Interlocked.CompareExchange(ref slot, item, null) is null) return;
    }
}
