using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    const int MostAttempts = 100;

    /// <summary>Begins a transaction: it sees the store as it is now. Dispose it.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public KeyValueTransaction BeginTransaction() => new(this);

    /// <summary>
    /// Carries an action out as a transaction and commits it; where that conflicts with what others have written, all of it is done once
    /// more.
    /// </summary>
    /// <param name="action">
    /// What is read and written. It may be called several times, so it should do nothing else. If it throws, or rolls the transaction back,
    /// nothing is written.
    /// </param>
    /// <param name="durability">What the transaction has survived when the call returns.</param>
    /// <param name="maxAttempts">How often it is tried at the most.</param>
    /// <exception cref="TransactionConflictException">It was in conflict every time. Nothing was written.</exception>
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
        for (var attempt = 1; ; attempt++)
        {
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

    internal TransactionConflictException ConflictAt(byte[] key) => new(files.Directory, key, KeyText.Of(key));

    internal void RequireWritable(int keyBytes, int valueBytes)
    {
        ThrowIfUnwritable();
        if (keyBytes > options.MaxKeyBytes) throw new KeyLengthException(keyBytes, options.MaxKeyBytes);
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
