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
/// the lock of the key. What a power cut takes is an end of history, so it takes both or neither. Entries that had expired when the
/// queue was built have none, and a clock that is set back shows them again: they are not counted, and go when they expire or are
/// written.</item>
/// <item>A record whose number is not that of the present entry belongs to one that has expired. It is found and dropped when its turn
/// comes, before anything that has not expired.</item>
/// <item>What is used is the sum of all records: counted when the cache is created, from a snapshot, and changed by what each write
/// adds and takes away. A record says of its entry what is reckoned from it.</item>
/// <item>Once <see cref="Dispose"/> was called, nothing is evicted any more: whoever evicts looks there under the lock of the key.</item>
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

    // What a set evicts, where so much is to be evicted: twice what it has added, or a few records if that is more. So the cache comes
    // back within its bound however many set at once, and none of them waits for what others have added.
    const int ShareOfAdded = 2;
    const int MinSharedRecords = 64;

    readonly KeyValueStore store;
    readonly CacheKeys keys;
    readonly KeyStripes stripes;
    readonly long maxBytes;
    readonly CancellationTokenSource closing = new();
    readonly Task counting;
    readonly Lock gate = new(); // For the background's three, and the change of what is counted.
    Task evicting = Task.CompletedTask;
    bool isEvicting, isWanted;
    volatile bool isForgotten;
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

    /// <summary>Completes when what was there has been counted, and what of it is beyond the bound evicted; nothing is before.</summary>
    public Task Counting => counting;

    /// <summary>Completes when what is evicted in the background is done.</summary>
    public Task Evicting
    {
        get
        {
            lock (gate) return evicting;
        }
    }

    /// <summary>Whether <see cref="Dispose"/> was called: nothing more is evicted in the background.</summary>
    public bool IsClosing => closing.IsCancellationRequested;

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

    /// <summary>Number of the last record: the largest of the entries that never expire, if there are any; 0 if there is none.</summary>
    public static ulong LastNumber(KeyValueStore store, CacheKeys keys)
    {
        using var cursor = store.Scan(keys.Queue, ScanDirection.Backward);
        return cursor.MoveNext() && QueueRecord.TryRead(keys, cursor.Key, cursor.Value, out var number, out _) ? number : 0;
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

    /// <summary>
    /// Deletes the record of an entry, if it has one, by the batch that replaces or removes the entry. False if that would have to wait
    /// for the disk, and may not.
    /// </summary>
    public bool TryRemove(
        WriteBatch batch, ReadOnlySpan<byte> storeKey, in EntryHeader header, int valueBytes, bool mayWait, ref int addedBytes)
    {
        Span<byte> key = stackalloc byte[QueueRecord.MaxKeyBytes];
        key = key[..QueueRecord.WriteKey(keys, header, key)];
        var outcome = mayWait
            ? store.ContainsKey(key) ? CachedGet.Found : CachedGet.Absent
            : store.TryGetCached(key, stackalloc byte[QueueRecord.MaxValueBytes], out _);
        if (outcome == CachedGet.WouldWait) return false;
        if (outcome == CachedGet.Absent) return true;
        batch.Delete(key);
        addedBytes -= QueueRecord.CostOf(keys.PrefixBytes, storeKey.Length, valueBytes);
        return true;
    }

    /// <summary>What a batch has added, less what it has taken away, once it was written.</summary>
    public void Account(long bytes)
    {
        var isExact = isCounted; // While it is counted, what was there may be taken away before it was met.
        var used = Interlocked.Add(ref usedBytes, bytes);
        Invariant.Require(!isExact || used >= 0);
    }

    /// <summary>
    /// Nothing is used any more: one write has removed all entries and records, under the locks of all keys, which are still held. What is
    /// still being counted is gone.
    /// </summary>
    public void Forget()
    {
        lock (gate)
        {
            isForgotten = true;
            Interlocked.Exchange(ref usedBytes, 0);
            isCounted = true;
            lastFailure = null;
        }
    }

    /// <summary>Whether <see cref="Keep"/> has something to do.</summary>
    public bool IsOver => isCounted && Interlocked.Read(ref usedBytes) > maxBytes;

    /// <summary>
    /// Evicts after a set, without the lock of its key: its share, and what is left beyond the bound then goes in the background. The
    /// set has succeeded, so what the disk refuses here is told by the statistics, and tried again after the next one.
    /// </summary>
    /// <param name="addedBytes">Length of the payload that was set.</param>
    public void Keep(long addedBytes)
    {
        if (!IsOver) return;
        TryEvict(ShareOfAdded * addedBytes, MinSharedRecords, mayWait: false);
        if (IsOver) EvictInBackground();
    }

    public void Dispose()
    {
        closing.Cancel();
        counting.Wait();
        Evicting.Wait();
        closing.Dispose();
    }

    void EvictInBackground()
    {
        lock (gate)
        {
            isWanted = true;
            if (isEvicting || IsClosing) return;
            isEvicting = true;
            evicting = Task.Run(EvictWhileWanted);
        }
    }

    void EvictWhileWanted()
    {
        while (true)
        {
            lock (gate)
            {
                isEvicting = isWanted && !IsClosing;
                isWanted = false;
                if (!isEvicting) return;
            }

            TryEvict(long.MaxValue, int.MaxValue, mayWait: true);
        }
    }

    // To somewhat below the bound, but not much more than as many bytes and records as are told, whichever is reached last.
    void TryEvict(long bytes, int records, bool mayWait)
    {
        var target = maxBytes - Math.Min(MaxSlackBytes, maxBytes / SlackParts);
        var batch = new WriteBatch();
        try
        {
            using var cursor = store.Scan(keys.Queue);
            while (Interlocked.Read(ref usedBytes) > target && (bytes > 0 || records > 0) && cursor.MoveNext())
            {
                if (IsClosing) return;
                if (!QueueRecord.TryRead(keys, cursor.Key, cursor.Value, out var number, out var cost)) continue;
                records--;
                if (Evict(batch, cursor.Key, cursor.Value[QueueRecord.ValueHeadBytes..], number, cost, mayWait)) bytes -= cost;
            }

            lastFailure = null;
        }
        catch (Exception failure) when (failure is (AshlarException and not InvariantException) or ObjectDisposedException)
        {
            lastFailure = failure.Message;
        }
    }

    // False if another has done it, or is writing the entry and may not be waited for.
    bool Evict(
        WriteBatch batch, ReadOnlySpan<byte> recordKey, ReadOnlySpan<byte> entryKey, ulong number, int costBytes, bool mayWait)
    {
        Span<byte> storeKey = stackalloc byte[CacheKeys.MaxBytes];
        keys.Prefix.CopyTo(storeKey);
        entryKey.CopyTo(storeKey[keys.PrefixBytes..]);
        storeKey = storeKey[..(keys.PrefixBytes + entryKey.Length)];
        var stripe = stripes.Of(storeKey);
        if (mayWait) stripe.Wait();
        else if (!stripe.Wait(0)) return false;
        var buffer = ReadBuffer.Rent();
        try
        {
            if (IsClosing) return false;
            // The cursor shows an earlier moment: since then the entry may have been replaced, and its record with it.
            if (!store.TryGet(recordKey, buffer)) return false;
            buffer.Return();
            buffer = ReadBuffer.Rent();
            batch.Clear();
            batch.Delete(recordKey);
            var isPresent = store.TryGet(storeKey, buffer);
            // One that has expired is deleted, too: a clock that is set back would show it again, without a record. One that was set
            // after that has a record of its own.
            var isOwner = !isPresent || (EntryHeader.TryRead(buffer.Written, out var header) && header.Number == number);
            if (isOwner) batch.Delete(storeKey);
            Invariant.Require(
                !isPresent || !isOwner || costBytes == QueueRecord.CostOf(keys.PrefixBytes, storeKey.Length, buffer.Written.Length));
            store.Write(batch, Durability.Relaxed);
            Account(-costBytes);
            if (isPresent && isOwner) Interlocked.Increment(ref evictions);
            return true;
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
            var foundBytes = 0L;
            using (snapshot)
            using (var cursor = snapshot.Scan(keys.Queue))
            {
                while (cursor.MoveNext())
                {
                    if (IsClosing || isForgotten) return;
                    if (QueueRecord.TryRead(keys, cursor.Key, cursor.Value, out _, out var cost)) foundBytes += cost;
                }
            }

            lock (gate)
            {
                if (isForgotten) return;
                Account(foundBytes);
                isCounted = true;
            }

            Invariant.Require(Interlocked.Read(ref usedBytes) >= 0);
        }
        catch (Exception failure) when (failure is (AshlarException and not InvariantException) or ObjectDisposedException)
        {
            lastFailure = failure.Message;
            return;
        }

        TryEvict(long.MaxValue, int.MaxValue, mayWait: true);
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
