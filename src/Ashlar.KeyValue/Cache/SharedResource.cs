using Ashlar.Storage;

namespace Ashlar.KeyValue.Cache;

/// <summary>
/// Something that readers may still use when the store has moved on: freed by whoever releases it last. It starts with one
/// reference, its creator's. The managed object outlives its native memory and files, so a late <see cref="TryAcquire"/>
/// fails instead of touching freed memory.
/// </summary>
abstract class SharedResource
{
    int references = 1;

    /// <summary>Takes a reference unless the last one is gone already.</summary>
    public bool TryAcquire()
    {
        var seen = Volatile.Read(ref references);
        while (seen != 0)
        {
            var before = Interlocked.CompareExchange(ref references, seen + 1, seen);
            if (before == seen) return true;
            seen = before;
        }

        return false;
    }

    /// <summary>Takes a reference; the caller knows that one exists.</summary>
    public void Acquire() => Invariant.Require(TryAcquire());

    public void Release()
    {
        var left = Interlocked.Decrement(ref references);
        Invariant.Require(left >= 0);
        if (left == 0) Free();
    }

    protected abstract void Free();
}
