using Ashlar.KeyValue.Caching.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching.Eviction;

/// <summary>
/// Keeps a cache within its bound. Each entry has a record in the store, in the order in which entries go: by their expiry, and those
/// without one by when they were written.
/// </summary>
/// <remarks>
/// Invariants:
/// <list type="bullet">
/// <item>While the mark is there, every entry has exactly one record with its number: both are written, and deleted, by one batch, under
/// the lock of the key. What a power cut takes is an end of history, so it takes both or neither.</item>
/// <item>A record whose number is not that of the present entry belongs to one that has expired. It is found and dropped when its turn
/// comes, before anything that has not expired.</item>
/// <item>What is used is the sum of all records: counted when the cache is created, from a snapshot, and changed by what each write
/// adds and takes away.</item>
/// </list>
/// Crash order of a bound that is set for a cache without one: old records are deleted, a record is written for every entry, and then the
/// mark. Without the mark all of it is done again. A cache that has no bound any more deletes mark and records first, before any
/// entry is written without a record.
/// </remarks>
sealed class EvictionQueue : IDisposable
{
    const int BatchedRecords = 1000;

    // What is freed at a time, so that not each set evicts: a 64th of the bound, at most 1 MiB.
    const int SlackParts = 64;
    const long MaxSlackBytes = 1 << 20;

    // How far the bound may be exceeded while another thread evicts: then writers wait for it.
    const int ToleratedParts = 8;

    readonly KeyValueStore store;
    readonly CacheKeys keys;
    readonly KeyStripes stripes;
    readonly long maxBytes;
    readonly Lock evicting = new();
    readonly CancellationTokenSource closing = new();
    readonly Task counting;
    long usedBytes;
    long evictions;
    volatile bool isCounted;
    volatile string? lastFailure;

    public EvictionQueue(KeyValueStore store, CacheKeys keys, KeyStripes stripes, long maxBytes)
    {
        (this.store, this.keys, this.stripes, this.maxBytes) = (store, keys, stripes, maxBytes);
        if (store.Get(keys.QueueMark) is null) Build();
        // Before any write: what comes later is told by the writers.
        var snapshot = store.CreateSnapshot();
        counting = Task.Run(() => Count(snapshot));
    }

    /// <summary>Completes when what was there has been counted; nothing is evicted before.</summary>
    public Task Counting => counting;

    public long? UsedBytes => isCounted ? Interlocked.Read(ref usedBytes) : null;

    public long Evictions => Interlocked.Read(ref evictions);

    public string? LastFailure => lastFailure;

    /// <summary>Ends the queue of a cache that has no bound any more; nothing if it never had one.</summary>
    public static void End(KeyValueStore store, CacheKeys keys)
    {
        if (store.Get(keys.QueueMark) is null) return;
        var batch = new WriteBatch();
        batch.Delete(keys.QueueMark);
        batch.DeleteRange(keys.Queue);
        store.Write(batch, Durability.Relaxed);
    }

    /// <summary>Adds the record of an entry to the batch that writes the entry; gives what it takes.</summary>
    public int Add(WriteBatch batch, ReadOnlySpan<byte> storeKey, in EntryHeader header, int valueBytes)
    {
        Span<byte> key = stackalloc byte[QueueRecord.MaxKeyBytes];
        Span<byte> value = stackalloc byte[QueueRecord.ValueHeadBytes + CacheKeys.MaxBytes];
        var cost = QueueRecord.CostOf(keys.PrefixBytes, storeKey.Length, valueBytes);
        batch.Put(
            key[..QueueRecord.WriteKey(keys, header, key)], value[..QueueRecord.WriteValue(keys, storeKey, cost, value)]);
        return cost;
    }

    /// <summary>Deletes the record of an entry by the batch that replaces or removes the entry; gives what it took.</summary>
    public int Remove(WriteBatch batch, ReadOnlySpan<byte> storeKey, in EntryHeader header, int valueBytes)
    {
        Span<byte> key = stackalloc byte[QueueRecord.MaxKeyBytes];
        batch.Delete(key[..QueueRecord.WriteKey(keys, header, key)]);
        return QueueRecord.CostOf(keys.PrefixBytes, storeKey.Length, valueBytes);
    }

    /// <summary>What a batch has added, less what it has taken away, once it was written.</summary>
    public void Account(long bytes)
    {
        var used = Interlocked.Add(ref usedBytes, bytes);
        // While it is counted, what was there may be taken away before it was met.
        Invariant.Require(!isCounted || used >= 0);
    }

    /// <summary>Whether <see cref="Keep"/> has something to do.</summary>
    public bool IsOver => isCounted && Interlocked.Read(ref usedBytes) > maxBytes;

    /// <summary>
    /// Evicts until the cache is within its bound again, after a write and without the lock of its key. The write has succeeded, so
    /// what the disk refuses here is told by the statistics, and tried again after the next one.
    /// </summary>
    public void Keep()
    {
        if (!IsOver) return;
        if (!evicting.TryEnter())
        {
            if (Interlocked.Read(ref usedBytes) <= maxBytes + (maxBytes / ToleratedParts)) return;
            evicting.Enter();
        }

        try
        {
            EvictTo(maxBytes - Math.Min(MaxSlackBytes, maxBytes / SlackParts));
            lastFailure = null;
        }
        catch (Exception failure) when (failure is AshlarException or ObjectDisposedException)
        {
            lastFailure = failure.Message;
        }
        finally
        {
            evicting.Exit();
        }
    }

    public void Dispose()
    {
        closing.Cancel();
        counting.Wait();
        closing.Dispose();
    }

    void EvictTo(long bytes)
    {
        if (!IsOver) return; // Another thread has done it.
        using var cursor = store.Scan(keys.Queue);
        var batch = new WriteBatch();
        while (Interlocked.Read(ref usedBytes) > bytes && cursor.MoveNext())
        {
            if (QueueRecord.TryRead(keys, cursor.Key, cursor.Value, out var number, out var cost))
                Evict(batch, cursor.Key, cursor.Value[QueueRecord.ValueHeadBytes..], number, cost);
        }
    }

    void Evict(WriteBatch batch, ReadOnlySpan<byte> recordKey, ReadOnlySpan<byte> entryKey, ulong number, int costBytes)
    {
        Span<byte> storeKey = stackalloc byte[CacheKeys.MaxBytes];
        keys.Prefix.CopyTo(storeKey);
        entryKey.CopyTo(storeKey[keys.PrefixBytes..]);
        storeKey = storeKey[..(keys.PrefixBytes + entryKey.Length)];
        var stripe = stripes.Of(storeKey);
        stripe.Wait();
        var buffer = ReadBuffer.Rent();
        try
        {
            // The cursor shows an earlier moment: since then the entry may have been replaced, and its record with it.
            if (!store.TryGet(recordKey, buffer)) return;
            buffer.Return();
            buffer = ReadBuffer.Rent();
            batch.Clear();
            batch.Delete(recordKey);
            var isPresent = store.TryGet(storeKey, buffer);
            // One that has expired is deleted, too: a clock that is set back would show it again, without a record. One that was set
            // after that has a record of its own.
            var isOwner = !isPresent || (EntryHeader.TryRead(buffer.Written, out var header) && header.Number == number);
            if (isOwner) batch.Delete(storeKey);
            store.Write(batch, Durability.Relaxed);
            Account(-costBytes);
            if (isPresent && isOwner) Interlocked.Increment(ref evictions);
        }
        finally
        {
            buffer.Return();
            stripe.Release();
        }
    }

    void Count(KeyValueSnapshot snapshot)
    {
        try
        {
            using (snapshot)
            using (var cursor = snapshot.Scan(keys.Queue))
            {
                while (cursor.MoveNext())
                {
                    if (closing.IsCancellationRequested) return;
                    if (QueueRecord.TryRead(keys, cursor.Key, cursor.Value, out _, out var cost)) Account(cost);
                }
            }

            isCounted = true;
            Keep();
        }
        catch (Exception failure) when (failure is AshlarException or ObjectDisposedException)
        {
            lastFailure = failure.Message;
        }
    }

    void Build()
    {
        store.DeleteRange(keys.Queue, Durability.Relaxed);
        var batch = new WriteBatch();
        using (var cursor = store.Scan(keys.Entries))
        {
            while (cursor.MoveNext())
            {
                if (!EntryHeader.TryRead(cursor.Value, out var header)) continue;
                Add(batch, cursor.Key, header, cursor.Value.Length);
                if (batch.Count >= BatchedRecords) WriteAndClear(store, batch);
            }
        }

        WriteAndClear(store, batch);
        store.Put(keys.QueueMark, [], Durability.Relaxed);
    }

    static void WriteAndClear(KeyValueStore store, WriteBatch batch)
    {
        if (batch.Count > 0) store.Write(batch, Durability.Relaxed);
        batch.Clear();
    }
}
