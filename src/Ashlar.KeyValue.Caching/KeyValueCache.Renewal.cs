using Ashlar.KeyValue.Caching.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching;

public sealed partial class KeyValueCache
{
    /// <summary>
    /// Renews the sliding expiry of an entry; nothing if it is absent, has none, or was renewed within a tenth of its window.
    /// </summary>
    /// <inheritdoc cref="Set(string, byte[], Microsoft.Extensions.Caching.Distributed.DistributedCacheEntryOptions)" path="/exception" />
    public void Refresh(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var stripe = StripeOf(key);
        stripe.Wait();
        try
        {
            RequireOpen();
            var batch = batches.Rent();
            if (FillRenewal(batch, key, out var addedBytes))
            {
                store.Write(batch, RenewalDurability);
                counters.CountRenewal();
            }

            Finish(batch, addedBytes);
        }
        finally
        {
            stripe.Release();
        }
    }

    /// <inheritdoc cref="Refresh" />
    public async Task RefreshAsync(string key, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var stripe = StripeOf(key);
        await stripe.WaitAsync(token).ConfigureAwait(false);
        try
        {
            RequireOpen();
            var batch = batches.Rent();
            var (isDue, addedBytes) = await Task.Run(() => (FillRenewal(batch, key, out var bytes), bytes), token).ConfigureAwait(false);
            if (isDue)
            {
                await store.WriteAsync(batch, RenewalDurability, token).ConfigureAwait(false);
                counters.CountRenewal();
            }

            Finish(batch, addedBytes);
        }
        finally
        {
            stripe.Release();
        }
    }

    // A renewal that a power cut takes costs the entry a part of its window; no one waits for the disk because of it.
    Durability RenewalDurability => durability == Durability.Unflushed ? Durability.Unflushed : Durability.Relaxed;

    // What was read is the caller's, also where a full disk refuses the renewal: then the entry expires as it was told before.
    void RenewAfterRead(string key)
    {
        try
        {
            Refresh(key);
        }
        catch (AshlarException failure) when (failure is not InvariantException)
        {
            counters.CountFailedRenewal();
        }
    }

    async Task RenewAfterReadAsync(string key, CancellationToken token)
    {
        try
        {
            await RefreshAsync(key, token).ConfigureAwait(false);
        }
        catch (AshlarException failure) when (failure is not InvariantException)
        {
            counters.CountFailedRenewal();
        }
    }

    /// <summary>
    /// Fills a batch with the entry as it is and a later expiry, under the lock of its key: whoever sets or removes it comes before or
    /// after, and is not undone. False if there is nothing to renew.
    /// </summary>
    bool FillRenewal(WriteBatch batch, string key, out int addedBytes)
    {
        addedBytes = 0;
        Span<byte> storeKey = stackalloc byte[CacheKeys.MaxBytes];
        storeKey = storeKey[..keys.Write(key, storeKey)];
        var buffer = ReadBuffer.Rent();
        try
        {
            if (!store.TryGet(storeKey, buffer)) return false;
            if (!EntryHeader.TryRead(buffer.Written, out var header)) throw NoEntry(key);
            var now = clock.GetUtcNow();
            if (!EntryLife.IsRenewalDue(header, now)) return false;
            queue?.TryRemove(batch, storeKey, header, buffer.Written.Length, mayWait: true, ref addedBytes);
            var renewed = EntryLife.Renew(header, now, NextNumber());
            renewed.Write(buffer.Head);
            Put(batch, storeKey, buffer.Written, renewed, ref addedBytes);
            return true;
        }
        finally
        {
            buffer.Return();
        }
    }
}
