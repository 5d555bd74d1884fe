namespace Ashlar.KeyValue.Caching.Entries;

/// <summary>
/// One writer of a key at a time: a renewal reads an entry and writes it anew, and must not bring back what was set or removed in between.
/// Keys share locks, by their hash; readers take none.
/// </summary>
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
}
