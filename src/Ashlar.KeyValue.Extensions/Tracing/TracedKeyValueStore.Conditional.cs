using Ashlar.KeyValue.Extensions.Tracing;

namespace Ashlar.KeyValue.Extensions;

// Writes that look before they take effect, transactions, and ranges. A write whose condition does not hold is no error.
public sealed partial class TracedKeyValueStore
{
    /// <inheritdoc cref="KeyValueStore.PutIfAbsent(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" />
    public bool PutIfAbsent(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync) => Run(
        "put_if_absent", key, value, durability,
        static (store, key, value, durability) => store.PutIfAbsent(key, value, durability));

    /// <inheritdoc cref="KeyValueStore.PutIfAbsent(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan, Durability)" />
    public bool PutIfAbsent(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync) => Run(
        "put_if_absent", key, value, (timeToLive, durability),
        static (store, key, value, how) => store.PutIfAbsent(key, value, how.timeToLive, how.durability));

    /// <inheritdoc cref="KeyValueStore.PutIfUnchanged" />
    public bool PutIfUnchanged(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong sequence, Durability durability = Durability.Sync) => Run(
        "put_if_unchanged", key, value, (sequence, durability),
        static (store, key, value, how) => store.PutIfUnchanged(key, value, how.sequence, how.durability));

    /// <inheritdoc cref="KeyValueStore.DeleteIfUnchanged" />
    public bool DeleteIfUnchanged(ReadOnlySpan<byte> key, ulong sequence, Durability durability = Durability.Sync) => Run(
        "delete_if_unchanged", key, [], (sequence, durability),
        static (store, key, _, how) => store.DeleteIfUnchanged(key, how.sequence, how.durability));

    /// <inheritdoc cref="KeyValueStore.TryRenew" />
    public bool TryRenew(ReadOnlySpan<byte> key, TimeSpan timeToLive, Durability durability = Durability.Sync) => Run(
        "renew", key, [], (timeToLive, durability),
        static (store, key, _, how) => store.TryRenew(key, how.timeToLive, how.durability));

    /// <inheritdoc cref="KeyValueStore.Increment(ReadOnlySpan{byte}, long, Durability)" />
    public long Increment(ReadOnlySpan<byte> key, long delta, Durability durability = Durability.Sync) => Run(
        "increment", key, [], (delta, durability),
        static (store, key, _, how) => store.Increment(key, how.delta, how.durability));

    /// <inheritdoc cref="KeyValueStore.Increment(ReadOnlySpan{byte}, long, TimeSpan, Durability)" />
    public long Increment(ReadOnlySpan<byte> key, long delta, TimeSpan timeToLive, Durability durability = Durability.Sync) => Run(
        "increment", key, [], (delta, timeToLive, durability),
        static (store, key, _, how) => store.Increment(key, how.delta, how.timeToLive, how.durability));

    /// <inheritdoc cref="KeyValueStore.DeleteRange(KeyRange, Durability)" />
    public void DeleteRange(KeyRange range, Durability durability = Durability.Sync) =>
        Run("delete_range", 0, () => Store.DeleteRange(range, durability));

    /// <inheritdoc cref="KeyValueStore.TryWrite" />
    public bool TryWrite(WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var isWritten = false;
        Run("write_if", batch.Count, () => isWritten = Store.TryWrite(batch, conditions, durability));
        return isWritten;
    }

    /// <inheritdoc cref="KeyValueStore.Transact(Action{KeyValueTransaction}, Durability, int)" />
    public void Transact(
        Action<KeyValueTransaction> action, Durability durability = Durability.Sync, int maxAttempts = KeyValueStore.MostAttempts) =>
        Run("transact", 0, () => Store.Transact(action, durability, maxAttempts));

    /// <inheritdoc cref="KeyValueStore.TransactAsync(Func{KeyValueTransaction, ValueTask}, Durability, int, CancellationToken)" />
    public ValueTask TransactAsync(
        Func<KeyValueTransaction, ValueTask> action, Durability durability = Durability.Sync,
        int maxAttempts = KeyValueStore.MostAttempts, CancellationToken cancellationToken = default)
    {
        var operation = Begin("transact");
        try
        {
            return Finish(operation, Store.TransactAsync(action, durability, maxAttempts, cancellationToken));
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }
        finally
        {
            operation.Leave();
        }
    }

    delegate TResult Call<TArguments, TResult>(
        KeyValueStore store, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TArguments arguments);

    TResult Run<TArguments, TResult>(
        string operationName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TArguments arguments, Call<TArguments, TResult> call)
    {
        var operation = Begin(operationName);
        TResult result;
        try
        {
            result = call(Store, key, value, arguments);
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }

        operation.End();
        return result;
    }
}
