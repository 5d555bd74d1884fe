using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class Keyspace
{
    /// <inheritdoc />
    public bool PutIfAbsent(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync) =>
        PutIfUnchanged(key, value, 0, durability);

    /// <inheritdoc />
    public bool PutIfAbsent(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync) =>
        TryWriteSingle(EntryKind.ExpiringPut, key, value, Expiry.After(timeToLive, store.Clock), 0, durability);

    /// <inheritdoc />
    public bool PutIfUnchanged(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong sequence, Durability durability = Durability.Sync) =>
        TryWriteSingle(EntryKind.Put, key, value, expiresAt: 0, sequence, durability);

    /// <inheritdoc />
    public bool DeleteIfUnchanged(ReadOnlySpan<byte> key, ulong sequence, Durability durability = Durability.Sync) =>
        TryWriteSingle(EntryKind.Delete, key, default, expiresAt: 0, sequence, durability);

    /// <inheritdoc />
    /// <remarks>Keys of conditions are of this keyspace, unless they were added for one. The batch is copied.</remarks>
    /// <inheritdoc cref="Write" path="/exception" />
    public bool TryWrite(WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(conditions);
        return store.TryWrite(Copy(batch), conditions.For(Identity), durability);
    }

    /// <inheritdoc />
    /// <inheritdoc cref="TryWrite" path="/remarks" />
    /// <inheritdoc cref="TryWrite" path="/exception" />
    public ValueTask<bool> TryWriteAsync(
        WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(conditions);
        cancellationToken.ThrowIfCancellationRequested();
        var held = batch.Hold();
        try
        {
            return LetGoAsync(held, store.TryWriteAsync(Copy(batch), conditions.For(Identity), durability, cancellationToken));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public bool TryRenew(ReadOnlySpan<byte> key, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        RequireThere();
        return store.TryRenew(Identity, key, timeToLive, durability);
    }

    /// <inheritdoc />
    public long Increment(ReadOnlySpan<byte> key, long delta, Durability durability = Durability.Sync)
    {
        RequireThere();
        return store.Increment(Identity, key, delta, timeToLive: null, durability);
    }

    /// <inheritdoc />
    public long Increment(ReadOnlySpan<byte> key, long delta, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        RequireThere();
        return store.Increment(Identity, key, delta, timeToLive, durability);
    }

    /// <summary>
    /// Carries an action out as a transaction of the store, in this keyspace: as
    /// <see cref="KeyValueStore.Transact(Action{KeyValueTransaction}, Durability, int)"/>.
    /// </summary>
    /// <inheritdoc cref="KeyValueStore.Transact(Action{KeyValueTransaction}, Durability, int)" path="/param" />
    /// <inheritdoc cref="KeyValueStore.Transact(Action{KeyValueTransaction}, Durability, int)" path="/exception" />
    public void Transact(
        Action<KeyspaceTransaction> action, Durability durability = Durability.Sync, int maxAttempts = KeyValueStore.MostAttempts)
    {
        ArgumentNullException.ThrowIfNull(action);
        store.Transact(transaction => action(transaction.In(this)), durability, maxAttempts);
    }

    /// <returns>What the action returned the last time.</returns>
    /// <inheritdoc cref="Transact(Action{KeyspaceTransaction}, Durability, int)" />
    public T Transact<T>(
        Func<KeyspaceTransaction, T> action, Durability durability = Durability.Sync, int maxAttempts = KeyValueStore.MostAttempts)
    {
        ArgumentNullException.ThrowIfNull(action);
        return store.Transact(transaction => action(transaction.In(this)), durability, maxAttempts);
    }

    bool TryWriteSingle(
        EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt, ulong sequence, Durability durability)
    {
        var batch = KeyValueStore.RentSingleWrite();
        batch.Add(Identity, kind, key, value, expiresAt);
        return store.TryWriteSingle(batch, Identity.Store(key, stackalloc byte[StackBytes]), sequence, durability);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<bool> LetGoAsync(IDisposable held, ValueTask<bool> written)
    {
        using (held) return await written.ConfigureAwait(false);
    }
}
