using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>Connections open now, over all listeners that share one limit.</summary>
sealed class ConnectionCount
{
    int open;

    /// <summary>Counts one more, unless there are as many as may be.</summary>
    public bool TryAdd(int max)
    {
        if (Interlocked.Increment(ref open) <= max) return true;
        Remove();
        return false;
    }

    /// <summary>Counts one less.</summary>
    public void Remove() => Invariant.Require(Interlocked.Decrement(ref open) >= 0);
}
