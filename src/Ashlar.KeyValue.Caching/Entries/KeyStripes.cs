namespace Ashlar.KeyValue.Caching.Entries;

/// <summary>
/// One writer of a key at a time: a renewal reads an entry and writes it anew, and must not bring back what was set or removed in between.
/// Keys share locks, by their hash; readers take none.
/// </summary>
/// <remarks>
/// Invariant: who holds a lock takes another only in the order of all of them, which only <see cref="EnterAll"/> does. So nobody waits for
/// each other.
/// </remarks>
sealed class KeyStripes
{
    const int Count = 256;

    readonly SemaphoreSlim[] stripes = [.. Enumerable.Range(0, Count).Select(_ => new SemaphoreSlim(1, 1))];

    public SemaphoreSlim Of(ReadOnlySpan<byte> storeKey)
    {
        var hash = new HashCode();
        hash.AddBytes(storeKey);
        return stripes[(uint)hash.ToHashCode() % Count];
    }

    /// <summary>Takes the locks of all keys: from here until <see cref="ExitAll"/> nobody writes.</summary>
    public void EnterAll()
    {
        foreach (var stripe in stripes) stripe.Wait();
    }

    /// <summary>As <see cref="EnterAll"/>, without a thread that waits. Where it is cancelled none is taken.</summary>
    public async Task EnterAllAsync(CancellationToken token)
    {
        var entered = 0;
        try
        {
            for (; entered < Count; entered++) await stripes[entered].WaitAsync(token).ConfigureAwait(false);
        }
        catch
        {
            while (entered > 0) stripes[--entered].Release();
            throw;
        }
    }

    public void ExitAll()
    {
        foreach (var stripe in stripes) stripe.Release();
    }
}
