using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Transactions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>How often an action of a transaction is tried, unless it is told otherwise.</summary>
    public const int MostAttempts = 100;

    readonly TransactionTurns turns = new();

    /// <summary>Begins a transaction: it sees the store as it is now. Dispose it.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public KeyValueTransaction BeginTransaction() => new(this);

    /// <summary>
    /// Carries an action out as a transaction and commits it; where that conflicts with what others have written, all of it is done once
    /// more. One that was overtaken again and again goes alone, while others wait a moment before they begin.
    /// </summary>
    /// <param name="action">
    /// What is read and written. It may be called several times, so it should do nothing else. If it throws, or rolls the transaction back,
    /// nothing is written.
    /// </param>
    /// <param name="durability">What the transaction has survived when the call returns.</param>
    /// <param name="maxAttempts">How often it is tried at the most.</param>
    /// <exception cref="TransactionConflictException">It was in conflict every time. Nothing was written.</exception>
    /// <exception cref="ArgumentException">
    /// The action returns a task: what it does after its first await would miss the commit. <see
    /// cref="TransactAsync(Func{KeyValueTransaction, ValueTask}, Durability, int, CancellationToken)"/> waits for it.
    /// </exception>
    /// <inheritdoc cref="KeyValueTransaction.TryCommit" path="/exception"/>
    public void Transact(
        Action<KeyValueTransaction> action, Durability durability = Durability.Sync, int maxAttempts = MostAttempts)
    {
        ArgumentNullException.ThrowIfNull(action);
        Transact<object?>(
            transaction =>
            {
                action(transaction);
                return null;
            },
            durability,
            maxAttempts);
    }

    /// <returns>What the action returned the last time.</returns>
    /// <inheritdoc cref="Transact(Action{KeyValueTransaction}, Durability, int)"/>
    public T Transact<T>(
        Func<KeyValueTransaction, T> action, Durability durability = Durability.Sync, int maxAttempts = MostAttempts)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxAttempts, 1);
        EnumArgument.RequireDefined(durability);
        if (IsTask(typeof(T)))
            throw new ArgumentException($"Asynchronous: {nameof(KeyValueStore)}.{nameof(TransactAsync)} waits for it.", nameof(action));
        var hasTurn = false;
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                hasTurn = hasTurn || turns.Enter(attempt);
                using var transaction = BeginTransaction();
                var result = action(transaction);
                if (transaction.State is TransactionState.RolledBack or TransactionState.Committed) return result;
                try
                {
                    transaction.Commit(durability);
                    return result;
                }
                catch (TransactionConflictException) when (attempt < maxAttempts)
                {
                    // Somebody else has got on.
                }
            }
        }
        finally
        {
            if (hasTurn) turns.Leave();
        }
    }

    /// <summary>
    /// As <see cref="Transact(Action{KeyValueTransaction}, Durability, int)"/>, for actions that await; no thread waits for the commit.
    /// The action uses the transaction by one thread at a time, and not after its task has completed.
    /// </summary>
    /// <param name="action">
    /// What is read and written. It may be called several times, so it should do nothing else. If it throws, or rolls the transaction back,
    /// nothing is written.
    /// </param>
    /// <param name="durability">What the transaction has survived when the task completes.</param>
    /// <param name="maxAttempts">How often it is tried at the most.</param>
    /// <param name="cancellationToken">
    /// Looked at before each attempt, and cancels a commit that no leader has taken yet; nothing is written then.
    /// </param>
    /// <exception cref="TransactionConflictException">It was in conflict every time. Nothing was written.</exception>
    /// <inheritdoc cref="KeyValueTransaction.TryCommit" path="/exception"/>
    public ValueTask TransactAsync(
        Func<KeyValueTransaction, ValueTask> action, Durability durability = Durability.Sync, int maxAttempts = MostAttempts,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(action);
        return Forget(TransactAsync<object?>(Run, durability, maxAttempts, cancellationToken));

        async ValueTask<object?> Run(KeyValueTransaction transaction)
        {
            await action(transaction).ConfigureAwait(false);
            return null;
        }

        static async ValueTask Forget(ValueTask<object?> result) => await result.ConfigureAwait(false);
    }

    /// <returns>What the action returned the last time.</returns>
    /// <inheritdoc cref="TransactAsync(Func{KeyValueTransaction, ValueTask}, Durability, int, CancellationToken)"/>
    public ValueTask<T> TransactAsync<T>(
        Func<KeyValueTransaction, ValueTask<T>> action, Durability durability = Durability.Sync, int maxAttempts = MostAttempts,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxAttempts, 1);
        EnumArgument.RequireDefined(durability);
        return Attempt();

        async ValueTask<T> Attempt()
        {
            var hasTurn = false;
            try
            {
                for (var attempt = 1; ; attempt++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    hasTurn = hasTurn || await turns.EnterAsync(attempt, cancellationToken).ConfigureAwait(false);
                    using var transaction = BeginTransaction();
                    var result = await action(transaction).ConfigureAwait(false);
                    if (transaction.State is TransactionState.RolledBack or TransactionState.Committed) return result;
                    try
                    {
                        await transaction.CommitAsync(durability, cancellationToken).ConfigureAwait(false);
                        return result;
                    }
                    catch (TransactionConflictException) when (attempt < maxAttempts)
                    {
                        // Somebody else has got on.
                    }
                }
            }
            finally
            {
                if (hasTurn) turns.Leave();
            }
        }
    }

    static bool IsTask(Type type) =>
        type.IsAssignableTo(typeof(Task))
        || type == typeof(ValueTask)
        || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>));

    internal TransactionConflictException ConflictAt(byte[] key)
    {
        if (KeyspaceOf(key) is not { } keyspace) return new(files.Directory, key, KeyText.Of(key), keyspace: null);
        var own = key.AsMemory(keyspace.Identity.Prefix.Length);
        return new(files.Directory, own, KeyText.Of(own.Span), keyspace.Name);
    }

    Keyspace? KeyspaceOf(byte[] key)
    {
        if (!KeyspaceRegion.Holds(key)) return null;
        using (keyspaceGate.Hold()) return keyspaces.Values.FirstOrDefault(one => key.AsSpan().StartsWith(one.Identity.Prefix));
    }

    internal void RequireWritable(int keyBytes, int valueBytes, bool isInKeyspace)
    {
        ThrowIfUnwritable();
        var limitBytes = isInKeyspace ? MaxKeyspaceKeyBytes : options.MaxKeyBytes;
        if (keyBytes > limitBytes) throw new KeyLengthException(keyBytes, limitBytes);
        if (valueBytes > options.MaxValueBytes) throw new ValueTooLongException(valueBytes, options.MaxValueBytes);
    }

    // Who has only read saw one moment, and who has read nothing needs none.
    internal void CommitTransaction(WriteBatch batch, WriteCheck check, Durability durability)
    {
        ThrowIfClosed();
        check.Outcome = CheckOutcome.Holds;
        if (batch.Count == 0) return;
        if (!check.HasConditions)
        {
            Write(batch, durability);
            return;
        }

        batch.BeginWrite();
        try
        {
            Check(batch, durability);
            check.Outcome = TryWriteHeld(batch, check, durability, isLooked: true);
        }
        catch (WriteContentionException busy)
        {
            throw new TransactionConflictException(busy.Directory, busy.Attempts);
        }
        finally
        {
            batch.EndWrite();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    internal async ValueTask CommitTransactionAsync(
        WriteBatch batch, WriteCheck check, Durability durability, CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        check.Outcome = CheckOutcome.Holds;
        if (batch.Count == 0) return;
        if (!check.HasConditions)
        {
            await WriteAsync(batch, durability, cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            if (!await TryWriteAsync(batch, check, durability, isLooked: true, cancellationToken).ConfigureAwait(false))
                check.Outcome = CheckOutcome.Fails;
        }
        catch (WriteContentionException busy)
        {
            throw new TransactionConflictException(busy.Directory, busy.Attempts);
        }
    }
}
