using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class Keyspace
{
    /// <inheritdoc />
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync) =>
        WriteSingle(EntryKind.Put, key, value, expiresAt: 0, durability);

    /// <inheritdoc />
    public void Put(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync) =>
        WriteSingle(EntryKind.ExpiringPut, key, value, Expiry.After(timeToLive, store.Clock), durability);

    /// <inheritdoc />
    public void Delete(ReadOnlySpan<byte> key, Durability durability = Durability.Sync) =>
        WriteSingle(EntryKind.Delete, key, default, expiresAt: 0, durability);

    /// <summary>Deletes all keys of a range of it, as <see cref="KeyValueStore.DeleteRange(KeyRange, Durability)"/>.</summary>
    public void DeleteRange(KeyRange range, Durability durability = Durability.Sync)
    {
        var batch = KeyValueStore.RentSingleWrite();
        batch.DeleteRange(this, range);
        WriteRented(batch, durability);
    }

    /// <summary>Deletes all keys of a range of it; many writes may be outstanding from one thread and share one flush.</summary>
    /// <inheritdoc cref="KeyValueStore.DeleteRangeAsync" path="/param" />
    public ValueTask DeleteRangeAsync(
        KeyRange range, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        var batch = new WriteBatch();
        batch.DeleteRange(this, range);
        return store.WriteAsync(batch, durability, cancellationToken);
    }

    /// <inheritdoc />
    /// <remarks>The batch is copied, with eight bytes more for each key.</remarks>
    /// <exception cref="ReservedKeyException">
    /// It has entries of a keyspace, and others with keys that begin with FF FF FF FF, or ranges without an end: which is which cannot be
    /// told.
    /// </exception>
    /// <exception cref="BatchTooLargeException">It would outgrow <see cref="WriteBatch.MaxBytes"/> so.</exception>
    public void Write(WriteBatch batch, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var stored = KeyValueStore.RentSingleWrite();
        CopyTo(stored, batch);
        WriteRented(stored, durability);
    }

    /// <inheritdoc />
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default) =>
        store.WriteSingleAsync(Identity, EntryKind.Put, key, value, expiresAt: 0, durability, cancellationToken);

    /// <inheritdoc />
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        var expiresAt = Expiry.After(timeToLive, store.Clock);
        return store.WriteSingleAsync(Identity, EntryKind.ExpiringPut, key, value, expiresAt, durability, cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask DeleteAsync(
        ReadOnlySpan<byte> key, Durability durability = Durability.Sync, CancellationToken cancellationToken = default) =>
        store.WriteSingleAsync(Identity, EntryKind.Delete, key, default, expiresAt: 0, durability, cancellationToken);

    /// <inheritdoc />
    /// <inheritdoc cref="Write" path="/exception" />
    public ValueTask WriteAsync(
        WriteBatch batch, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        cancellationToken.ThrowIfCancellationRequested();
        var held = batch.Hold();
        try
        {
            return LetGoAsync(held, store.WriteAsync(Copy(batch), durability, cancellationToken));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Makes every write that completed before this call durable: all of the store's, which has one log.</summary>
    /// <inheritdoc cref="IKeyspace.Sync" path="/exception" />
    public void Sync() => store.Sync();

    /// <summary>Makes every write that completed before this call durable: all of the store's, which has one log.</summary>
    /// <inheritdoc cref="IKeyspace.SyncAsync" path="/param" />
    /// <inheritdoc cref="IKeyspace.Sync" path="/exception" />
    public ValueTask SyncAsync(CancellationToken cancellationToken = default) => store.SyncAsync(cancellationToken);

    /// <inheritdoc />
    public DateTimeOffset ExpiryAfter(TimeSpan timeToLive) => store.ExpiryAfter(timeToLive);

    void WriteSingle(EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt, Durability durability)
    {
        var batch = KeyValueStore.RentSingleWrite();
        batch.Add(Identity, kind, key, value, expiresAt);
        WriteRented(batch, durability);
    }

    // After an exception it is not given back: it is simply gone.
    void WriteRented(WriteBatch batch, Durability durability)
    {
        store.Write(batch, durability);
        KeyValueStore.ReturnSingleWrite(batch);
    }

    WriteBatch Copy(WriteBatch batch)
    {
        var stored = new WriteBatch();
        CopyTo(stored, batch);
        return stored;
    }

    void CopyTo(WriteBatch stored, WriteBatch batch)
    {
        using var held = batch.Hold();
        stored.AddFor(this, batch);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    static async ValueTask LetGoAsync(IDisposable held, ValueTask written)
    {
        using (held) await written.ConfigureAwait(false);
    }
}
