using System.Buffers;
using Ashlar.KeyValue.Caching.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching;

public sealed partial class KeyValueCache
{
    /// <summary>Reads an entry, and renews its sliding expiry; null when it is absent.</summary>
    /// <exception cref="CorruptDataException">What holds the entry is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">What the store holds by this key is no entry of a cache.</exception>
    /// <exception cref="ObjectDisposedException">The cache or its store is closed.</exception>
    public byte[]? Get(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        Read(key, destination: null, mayWait: true, out var isRenewalDue, out var payload);
        if (isRenewalDue) RenewAfterRead(key);
        return payload;
    }

    /// <summary>As <see cref="Get"/>; where the disk has to be waited for, another thread does.</summary>
    /// <inheritdoc cref="Get" path="/exception" />
    public Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        token.ThrowIfCancellationRequested();
        if (Read(key, destination: null, mayWait: false, out var isRenewalDue, out var payload) == CachedGet.WouldWait)
            return Task.Run(() => Get(key), token);
        return isRenewalDue ? RenewAndReturn(payload) : Task.FromResult(payload);

        async Task<byte[]?> RenewAndReturn(byte[]? found)
        {
            await RenewAfterReadAsync(key, token).ConfigureAwait(false);
            return found;
        }
    }

    /// <summary>Reads an entry into a writer, and renews its sliding expiry; false, and nothing is written, when it is absent.</summary>
    /// <inheritdoc cref="Get" path="/exception" />
    public bool TryGet(string key, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(destination);
        var outcome = Read(key, destination, mayWait: true, out var isRenewalDue, out _);
        if (isRenewalDue) RenewAfterRead(key);
        return outcome == CachedGet.Found;
    }

    /// <summary>As <see cref="TryGet"/>; where the disk has to be waited for, another thread does.</summary>
    /// <inheritdoc cref="Get" path="/exception" />
    public ValueTask<bool> TryGetAsync(string key, IBufferWriter<byte> destination, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(destination);
        token.ThrowIfCancellationRequested();
        var outcome = Read(key, destination, mayWait: false, out var isRenewalDue, out _);
        if (outcome == CachedGet.WouldWait) return new(Task.Run(() => TryGet(key, destination), token));
        return isRenewalDue ? RenewAndReturn() : new(outcome == CachedGet.Found);

        async ValueTask<bool> RenewAndReturn()
        {
            await RenewAfterReadAsync(key, token).ConfigureAwait(false);
            return true;
        }
    }

    // Into a writer, or without one into an array.
    CachedGet Read(string key, IBufferWriter<byte>? destination, bool mayWait, out bool isRenewalDue, out byte[]? payload)
    {
        (isRenewalDue, payload) = (false, null);
        RequireOpen();
        Span<byte> storeKey = stackalloc byte[CacheKeys.MaxBytes];
        storeKey = storeKey[..keys.Write(key, storeKey)];
        var buffer = ReadBuffer.Rent();
        try
        {
            var outcome = ReadInto(storeKey, buffer, mayWait);
            if (outcome == CachedGet.WouldWait) return outcome;
            if (outcome == CachedGet.Absent)
            {
                counters.CountMiss();
                return outcome;
            }

            if (!EntryHeader.TryRead(buffer.Written, out var header)) throw NoEntry(key);
            if (destination is null) payload = buffer.Payload.ToArray();
            else destination.Write(buffer.Payload);
            isRenewalDue = EntryLife.IsRenewalDue(header, clock.GetUtcNow());
            counters.CountHit();
            return outcome;
        }
        finally
        {
            buffer.Return();
        }
    }

    CachedGet ReadInto(ReadOnlySpan<byte> storeKey, ReadBuffer buffer, bool mayWait) =>
        !mayWait ? store.TryGetCached(storeKey, buffer)
        : store.TryGet(storeKey, buffer) ? CachedGet.Found
        : CachedGet.Absent;

    static UnsupportedFormatException NoEntry(string key) =>
        new($"cache entry '{key}'", "the value in the store is no entry of a cache, version 1; does other data share the key prefix?");
}
