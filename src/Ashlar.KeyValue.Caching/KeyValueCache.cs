using System.Diagnostics.Metrics;
using Ashlar.KeyValue.Caching.Entries;
using Ashlar.KeyValue.Caching.Eviction;
using Ashlar.KeyValue.Caching.Metering;
using Ashlar.Storage;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.KeyValue.Caching;

/// <summary>
/// A cache on disk: what was set is there again after a restart. Entries expire at a moment, after a time, or after a time without being
/// asked for. It is the second tier of <c>HybridCache</c>, which uses it without copies, and holds sessions of ASP.NET Core. Safe for
/// concurrent callers.
/// </summary>
/// <remarks>
/// <para>Keys are of any length. An entry that has expired is absent at once; its space is given back by the store's merges, or by
/// eviction. A sliding expiry moves when an entry is asked for and a tenth of its window has passed: an entry may be gone by as much too
/// early, and is never served longer than it was told.</para>
/// <para>The asynchronous calls never wait for the disk on the calling thread.</para>
/// <para>Once the cache is disposed of, every call is refused by an <see cref="ObjectDisposedException"/>.</para>
/// </remarks>
public sealed partial class KeyValueCache : IBufferDistributedCache, IDisposable
{
    const int NumberShift = 20;

    readonly KeyValueStore store;
    readonly Durability durability;
    readonly int maxPayloadBytes;
    readonly TimeProvider clock;
    readonly CacheKeys keys;
    readonly KeyStripes stripes = new();
    readonly BatchPool batches = new();
    readonly EvictionQueue? queue;
    readonly CacheCounters counters = new();
    readonly CacheMetrics metrics;
    readonly PrefixClaim claim;
    ulong lastNumber;
    int isDisposed;

    /// <summary>Creates a cache over a store, which stays its owner's. What the cache held before is in it again.</summary>
    /// <param name="store">The store.</param>
    /// <param name="options">How it lies there; null is the defaults.</param>
    /// <param name="meters">Makes the meter <see cref="MeterName"/>; null is one for the whole process.</param>
    /// <exception cref="ArgumentException">
    /// An option is beyond its bounds, or one of the store leaves no room for keys or values of the cache; the parameter is the option.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// Another cache on this store has the same <see cref="KeyValueCacheOptions.KeyPrefix"/>, and was not disposed of.
    /// </exception>
    /// <exception cref="StorageException">The disk refused.</exception>
    public KeyValueCache(KeyValueStore store, KeyValueCacheOptions? options = null, IMeterFactory? meters = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        options ??= new();
        options.Validate();
        this.store = store;
        durability = options.Durability;
        clock = options.TimeProvider ?? TimeProvider.System;
        RequireRoom(store, options);
        keys = new CacheKeys(options.KeyPrefix, store.MaxKeyBytes);
        var overheadBytes = EntryHeader.SizeBytes + QueueRecord.CostOf(keys.PrefixBytes, CacheKeys.MaxBytes, 0);
        var fittingBytes = Math.Min(store.MaxValueBytes - EntryHeader.SizeBytes, options.MaxBytes - overheadBytes ?? long.MaxValue);
        maxPayloadBytes = (int)Math.Min(options.MaxEntryBytes, fittingBytes);
        claim = PrefixClaim.Take(store, options.KeyPrefix);
        try
        {
            lastNumber = FirstNumber();
            if (options.MaxBytes is { } bound) queue = new EvictionQueue(store, keys, stripes, bound);
            else EvictionQueue.End(store, keys);
            metrics = new CacheMetrics(this, options.KeyPrefix, options.MaxBytes, meters);
        }
        catch
        {
            queue?.Dispose();
            claim.Dispose();
            throw;
        }
    }

    /// <summary>Name of the meter: <c>ashlar.cache.*</c>, observed when somebody collects.</summary>
    public const string MeterName = "Ashlar.KeyValue.Caching";

    /// <summary>Completes when what a bounded cache evicts in the background is done, if anything is.</summary>
    internal Task Evicting => queue?.Evicting ?? Task.CompletedTask;

    /// <summary>Completes when a bounded cache knows what it holds; until then nothing is evicted.</summary>
    internal Task Counting => queue?.Counting ?? Task.CompletedTask;

    /// <summary>Counts, and what the cache takes.</summary>
    public KeyValueCacheStatistics GetStatistics() => new()
    {
        Hits = counters.Hits,
        Misses = counters.Misses,
        Sets = counters.Sets,
        Renewals = counters.Renewals,
        FailedRenewals = counters.FailedRenewals,
        Evictions = queue?.Evictions ?? 0,
        UsedBytes = queue?.UsedBytes,
        LastEvictionFailure = queue?.LastFailure,
    };

    /// <summary>
    /// Waits for what is being written, ends what the cache does in the background, and refuses every call from then on; entries and store
    /// stay.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) != 0) return;
        metrics.Dispose();
        try
        {
            queue?.Dispose();
        }
        finally
        {
            // Whoever writes looks under the lock of its key whether the cache is open. So nobody writes after this, and the next cache at
            // the prefix counts all that there is.
            stripes.EnterAll();
            stripes.ExitAll();
            claim.Dispose();
        }
    }

    void RequireOpen() => ObjectDisposedException.ThrowIf(Volatile.Read(ref isDisposed) != 0, this);

    static void RequireRoom(KeyValueStore store, KeyValueCacheOptions options)
    {
        Require(nameof(KeyValueOptions.MaxKeyBytes), store.MaxKeyBytes, CacheKeys.LengthOf(options.KeyPrefix) + CacheKeys.MinTailBytes);
        Require(
            nameof(KeyValueOptions.MaxValueBytes), store.MaxValueBytes,
            options.MaxBytes is null ? EntryHeader.SizeBytes + 1 : QueueRecord.MaxValueBytes);

        static void Require(string option, int bytes, int neededBytes)
        {
            if (bytes >= neededBytes) return;
            throw new ArgumentException($"Of the store it is {bytes}, and of this cache the least is {neededBytes}.", option);
        }
    }

    // Numbers of two lives of a cache must differ, and those of the later one be larger, whatever the clock does in between.
    ulong FirstNumber()
    {
        var moment = (ulong)Math.Max(0, clock.GetUtcNow().ToUnixTimeMilliseconds());
        moment = Math.Max(moment, (EvictionQueue.LastNumber(store, keys) >> NumberShift) + 1);
        return (moment << NumberShift) | (SystemEntropy.Instance.NextUInt64() >> (64 - NumberShift));
    }

    // Larger than all before, so those that never expire go in the order in which they were written.
    ulong NextNumber() => Interlocked.Increment(ref lastNumber);
}
