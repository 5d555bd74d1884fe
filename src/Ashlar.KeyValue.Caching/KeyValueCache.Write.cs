using System.Buffers;
using Ashlar.KeyValue.Caching.Entries;
using Ashlar.Storage;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.KeyValue.Caching;

public sealed partial class KeyValueCache
{
    /// <summary>Sets an entry, in the place of one that is there. Without any expiry it stays until it is removed or evicted.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The absolute expiry has passed.</exception>
    /// <exception cref="ValueTooLongException">The payload is longer than an entry may be.</exception>
    /// <exception cref="StorageException">
    /// The disk refused, for example because it is full; the entry is as it was before.
    /// </exception>
    /// <exception cref="StorePoisonedException">The store refuses every write until it is opened anew.</exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="ObjectDisposedException">The cache or its store is closed.</exception>
    public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(value);
        Set(key, new ReadOnlySequence<byte>(value), options);
    }

    /// <inheritdoc cref="Set(string, byte[], DistributedCacheEntryOptions)" />
    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(value);
        return SetAsync(key, new ReadOnlySequence<byte>(value), options, token).AsTask();
    }

    /// <inheritdoc cref="Set(string, byte[], DistributedCacheEntryOptions)" />
    public void Set(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options)
    {
        var header = Begin(key, value, options);
        var stripe = StripeOf(key);
        stripe.Wait();
        try
        {
            RequireOpen();
            var batch = batches.Rent();
            TryFill(batch, key, value, header, mayWait: true, out var addedBytes);
            store.Write(batch, durability);
            Finish(batch, addedBytes);
        }
        finally
        {
            stripe.Release();
        }

        counters.CountSet();
        queue?.Keep(value.Length);
    }

    /// <inheritdoc cref="Set(string, byte[], DistributedCacheEntryOptions)" />
    public async ValueTask SetAsync(
        string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        var header = Begin(key, value, options);
        var stripe = StripeOf(key);
        await stripe.WaitAsync(token).ConfigureAwait(false);
        try
        {
            RequireOpen();
            var batch = batches.Rent();
            if (!TryFill(batch, key, value, header, mayWait: false, out var addedBytes))
            {
                addedBytes = await Task.Run(
                    () =>
                    {
                        TryFill(batch, key, value, header, mayWait: true, out var bytes);
                        return bytes;
                    },
                    token).ConfigureAwait(false);
            }

            await store.WriteAsync(batch, durability, token).ConfigureAwait(false);
            Finish(batch, addedBytes);
        }
        finally
        {
            stripe.Release();
        }

        counters.CountSet();
        if (queue is { IsOver: true }) await Task.Run(() => queue.Keep(value.Length), CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Removes an entry; a missing one is no error.</summary>
    /// <exception cref="StorageException">The disk refused; the entry is still there.</exception>
    /// <exception cref="StorePoisonedException">The store refuses every write until it is opened anew.</exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="ObjectDisposedException">The cache or its store is closed.</exception>
    public void Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var stripe = StripeOf(key);
        stripe.Wait();
        try
        {
            RequireOpen();
            var batch = batches.Rent();
            var addedBytes = FillRemoval(batch, key);
            store.Write(batch, durability);
            Finish(batch, addedBytes);
        }
        finally
        {
            stripe.Release();
        }
    }

    /// <inheritdoc cref="Remove" />
    public async Task RemoveAsync(string key, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var stripe = StripeOf(key);
        await stripe.WaitAsync(token).ConfigureAwait(false);
        try
        {
            RequireOpen();
            var batch = batches.Rent();
            // With a bound the entry is read first, for its record, and that may have to wait for the disk.
            var addedBytes = queue is null
                ? FillRemoval(batch, key)
                : await Task.Run(() => FillRemoval(batch, key), token).ConfigureAwait(false);
            await store.WriteAsync(batch, durability, token).ConfigureAwait(false);
            Finish(batch, addedBytes);
        }
        finally
        {
            stripe.Release();
        }
    }

    EntryHeader Begin(string key, in ReadOnlySequence<byte> value, DistributedCacheEntryOptions options)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(options);
        if (value.Length > maxPayloadBytes)
            throw new ValueTooLongException((int)Math.Min(value.Length, int.MaxValue), maxPayloadBytes);
        return EntryLife.Begin(options, clock.GetUtcNow(), NextNumber());
    }

    /// <summary>
    /// Fills a batch with what sets an entry, under the lock of its key. False if that would have to wait for the disk, and may not; the
    /// batch is empty then.
    /// </summary>
    bool TryFill(
        WriteBatch batch, string key, in ReadOnlySequence<byte> payload, in EntryHeader header, bool mayWait, out int addedBytes)
    {
        addedBytes = 0;
        Span<byte> storeKey = stackalloc byte[CacheKeys.MaxBytes];
        storeKey = storeKey[..keys.Write(key, storeKey)];
        Invariant.Require(batch.Count == 0);
        if (queue is not null && !TryForget(batch, storeKey, mayWait, ref addedBytes)) return false;
        var length = EntryHeader.SizeBytes + (int)payload.Length;
        var value = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            header.Write(value);
            payload.CopyTo(value.AsSpan(EntryHeader.SizeBytes));
            Put(batch, storeKey, value.AsSpan(0, length), header, ref addedBytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(value);
        }

        return true;
    }

    void Put(WriteBatch batch, ReadOnlySpan<byte> storeKey, ReadOnlySpan<byte> value, in EntryHeader header, ref int addedBytes)
    {
        if (header.ExpiresAt == 0) batch.Put(storeKey, value);
        else batch.Put(storeKey, value, DateTimeOffset.FromUnixTimeMilliseconds(header.ExpiresAt));
        if (queue is not null) addedBytes += queue.Add(batch, storeKey, header, value.Length);
        // The entry, its record, and the end of the record before.
        Invariant.Require(queue is null ? batch.Count == 1 : batch.Count is 2 or 3);
    }

    // Deletes the record of the entry that is there; the entry itself is replaced or deleted by the same batch.
    bool TryForget(WriteBatch batch, ReadOnlySpan<byte> storeKey, bool mayWait, ref int addedBytes)
    {
        var buffer = ReadBuffer.Rent();
        try
        {
            var outcome = ReadInto(storeKey, buffer, mayWait);
            return outcome != CachedGet.WouldWait
                && (outcome != CachedGet.Found
                    || !EntryHeader.TryRead(buffer.Written, out var header)
                    || queue!.TryRemove(batch, storeKey, header, buffer.Written.Length, mayWait, ref addedBytes));
        }
        finally
        {
            buffer.Return();
        }
    }

    int FillRemoval(WriteBatch batch, string key)
    {
        var addedBytes = 0;
        Span<byte> storeKey = stackalloc byte[CacheKeys.MaxBytes];
        storeKey = storeKey[..keys.Write(key, storeKey)];
        if (queue is not null) TryForget(batch, storeKey, mayWait: true, ref addedBytes);
        batch.Delete(storeKey);
        return addedBytes;
    }

    void Finish(WriteBatch batch, int addedBytes)
    {
        queue?.Account(addedBytes);
        batches.Return(batch);
    }

    SemaphoreSlim StripeOf(string key)
    {
        Span<byte> storeKey = stackalloc byte[CacheKeys.MaxBytes];
        return stripes.Of(storeKey[..keys.Write(key, storeKey)]);
    }
}
