using System.Collections.Concurrent;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// The volatile cache of a set with parity: stripes of which parts were written; and those whose batch may still be replayed after a crash.
/// Neither kind is written to directly.
/// </summary>
/// <remarks>
/// Invariant: a stripe of which a batch may be replayed is only changed by later batches. A replay would put its data over what was
/// written directly after it.
/// </remarks>
sealed class StripeCache(RaidLayout layout, int chunkBytes)
{
    readonly ConcurrentDictionary<long, CachedStripe> stripes = new();
    readonly ConcurrentDictionary<long, long> live = new(); // By stripe: the last batch that has it.
    long dirtyBytes;

    /// <summary>What a batch of all that is dirty would take, and not less.</summary>
    public long DirtyBytes => Volatile.Read(ref dirtyBytes);

    public bool HasLive => !live.IsEmpty;

    /// <summary>Whether the stripe may not be written to directly. Under its lock nobody makes it so.</summary>
    public bool Holds(long stripe) => stripes.ContainsKey(stripe) || live.ContainsKey(stripe);

    public CachedStripe? Find(long stripe) => stripes.TryGetValue(stripe, out var found) ? found : null;

    public ICollection<long> Stripes => stripes.Keys;

    public ICollection<long> LiveStripes => live.Keys;

    /// <summary>What a stripe takes of a batch.</summary>
    public long CostOf(CachedStripe stripe) => stripe.DirtyBytes == 0 ? 0 : StripeRecord.LongestBytes(layout, chunkBytes)
        - ((long)layout.DataPerStripe * chunkBytes) + stripe.DirtyBytes;

    public void Put(long stripe, int index, int offsetBytes, ReadOnlySpan<byte> source)
    {
        var entry = stripes.GetOrAdd(stripe, static (key, cache) => new CachedStripe(cache.Layout, cache.ChunkBytes, key), this);
        var before = CostOf(entry);
        entry.Put(index, offsetBytes, source);
        Interlocked.Add(ref dirtyBytes, CostOf(entry) - before);
    }

    /// <summary>A batch has taken what is dirty of a stripe: it may be replayed from when it is written.</summary>
    public void Commit(CachedStripe stripe, long sequence)
    {
        Interlocked.Add(ref dirtyBytes, -CostOf(stripe));
        stripe.Commit();
        live[stripe.Stripe] = sequence;
    }

    /// <summary>What the batch took is in its place.</summary>
    public void EndCommit(CachedStripe stripe)
    {
        stripe.EndCommit();
        if (stripe.DirtyBytes > 0) return;
        stripes.TryRemove(stripe.Stripe, out _);
        stripe.Release();
    }

    /// <summary>Batches up to this one are never replayed again.</summary>
    public void Retire(long sequence)
    {
        foreach (var (stripe, last) in live)
            if (last <= sequence) live.TryRemove(KeyValuePair.Create(stripe, last));
    }

    RaidLayout Layout => layout;

    int ChunkBytes => chunkBytes;
}
