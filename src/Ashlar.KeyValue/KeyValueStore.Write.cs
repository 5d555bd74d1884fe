using Ashlar.KeyValue.Commit;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    const int KeptBatchBytes = 1 << 20;

    [ThreadStatic]
    static WriteBatch? singleWrite;

    /// <summary>Writes one entry.</summary>
    /// <exception cref="KeyLengthException">The key is empty or too long.</exception>
    /// <exception cref="ValueTooLongException">The value is too long.</exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left, for example because the disk is full.
    /// </exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Put(key, value);
        Write(batch, durability);
        ReturnSingleWrite(batch);
    }

    /// <summary>Writes one entry that reads as absent once a time has passed.</summary>
    /// <remarks>
    /// What counts is <see cref="KeyValueOptions.TimeProvider"/>, which should be UTC. If it is set back, entries live longer by
    /// as much, and expired ones that no merge has met yet are readable again; those that one has met stay gone.
    /// </remarks>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="timeToLive">The time, which is rounded up to milliseconds.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The time is zero or negative, or ends beyond the year 9999.
    /// </exception>
    /// <exception cref="KeyLengthException">The key is empty or too long.</exception>
    /// <exception cref="ValueTooLongException">The value is too long.</exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left, for example because the disk is full.
    /// </exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    public void Put(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Put(key, value, timeToLive, options.TimeProvider);
        Write(batch, durability);
        ReturnSingleWrite(batch);
    }

    /// <summary>Deletes one entry; a missing one is no error.</summary>
    /// <exception cref="KeyLengthException">
    /// The key is empty, or longer than any can be (<see cref="KeyValueOptions.KeyLimitBytes"/>).
    /// </exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left, for example because the disk is full.
    /// </exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    public void Delete(ReadOnlySpan<byte> key, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Delete(key);
        Write(batch, durability);
        ReturnSingleWrite(batch);
    }

    /// <summary>Applies a batch atomically. The batch may be reused afterwards.</summary>
    /// <exception cref="KeyLengthException">The key of a put is longer than the store's limit.</exception>
    /// <exception cref="ValueTooLongException">A value is longer than the store's limit.</exception>
    /// <exception cref="InvalidOperationException">Another thread is changing the batch.</exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left, for example because the disk is full.
    /// </exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    public void Write(WriteBatch batch, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.BeginWrite();
        try
        {
            Check(batch, durability);
            commits.Run(CommitRequest.Write, batch, durability);
        }
        finally
        {
            batch.EndWrite();
        }
    }

    /// <summary>
    /// Writes one entry. Key and value are copied before the call returns; the task completes when the write is done, so many
    /// may be outstanding from one thread and share one flush.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" path="/exception"/>
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var write = commits.RentAsync();
        write.OwnBatch.Put(key, value);
        return Submit(write, write.OwnBatch, durability, cancellationToken);
    }

    /// <summary>Deletes one entry, otherwise as <see cref="PutAsync"/>; a missing one is no error.</summary>
    /// <param name="key">The key.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    /// <inheritdoc cref="Delete(ReadOnlySpan{byte}, Durability)" path="/exception"/>
    public ValueTask DeleteAsync(
        ReadOnlySpan<byte> key, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var write = commits.RentAsync();
        write.OwnBatch.Delete(key);
        return Submit(write, write.OwnBatch, durability, cancellationToken);
    }

    /// <summary>
    /// Applies a batch atomically; many writes may be outstanding from one thread and share one flush. The batch refuses changes until
    /// the task completes.
    /// </summary>
    /// <remarks>
    /// The type of an exception tells what became of the batch. <see cref="StorePoisonedException"/>, and no other, leaves it in doubt:
    /// the store refuses every later write, and <see cref="Failure"/> is set. With any other the batch was refused: nothing of it is
    /// left or will appear, it sets no <see cref="Failure"/>, and the same batch may be written again. A full disk is a
    /// <see cref="StorageException"/> of the kind <see cref="StorageErrorKind.NoSpace"/> and always a refusal; what may still be written
    /// then: batches that only delete, and those with <see cref="WriteBatch.MayUseReserve"/>.
    /// </remarks>
    /// <param name="batch">The batch.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    /// <exception cref="KeyLengthException">The key of a put is longer than the store's limit.</exception>
    /// <exception cref="ValueTooLongException">A value is longer than the store's limit.</exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left, for example because the disk is full.
    /// </exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    public ValueTask WriteAsync(
        WriteBatch batch, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        cancellationToken.ThrowIfCancellationRequested();
        return Submit(commits.RentAsync(), batch, durability, cancellationToken);
    }

    /// <summary>Makes every write that completed before this call durable.</summary>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">That failed, now or earlier.</exception>
    public void Sync()
    {
        ThrowIfUnwritable();
        commits.Run(CommitRequest.Write, null, Durability.Sync);
    }

    /// <summary>Makes every write that completed before this call durable; no thread waits for it.</summary>
    /// <param name="cancellationToken">Cancels it unless it has begun; once it has, it takes its course.</param>
    /// <inheritdoc cref="Sync" path="/exception" />
    public ValueTask SyncAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfUnwritable();
        return commits.RunAsync(commits.RentAsync(), null, Durability.Sync, cancellationToken);
    }

    /// <summary>
    /// Completes when every write up to a sequence (see <see cref="VisibleSequence"/>) is durable. Does not cause a sync by
    /// itself: relaxed writes become durable within <see cref="KeyValueOptions.RelaxedLossTime"/>.
    /// </summary>
    /// <exception cref="StorePoisonedException">They did not become durable.</exception>
    public Task WaitDurableAsync(ulong sequence, CancellationToken cancellationToken = default)
    {
        ThrowIfClosed();
        return durability.WaitAsync(sequence).WaitAsync(cancellationToken);
    }

    // The write ends before its task completes (see AsyncWrite).
    ValueTask Submit(AsyncWrite write, WriteBatch batch, Durability durability, CancellationToken cancellationToken)
    {
        batch.BeginWrite();
        try
        {
            Check(batch, durability);
            return commits.RunAsync(write, batch, durability, cancellationToken);
        }
        catch
        {
            batch.EndWrite();
            throw;
        }
    }

    void SyncInBackground()
    {
        if (Volatile.Read(ref isClosing) != 0) return;
        try
        {
            // A failure poisons the store, which tells everybody who cares.
            _ = commits.RunAsync(commits.RentAsync(), null, Durability.Sync, CancellationToken.None).AsTask().ContinueWith(
                static task => _ = task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default);
        }
        catch (ObjectDisposedException)
        {
            // The store was closed meanwhile, which makes everything durable.
        }
    }

    void Check(WriteBatch batch, Durability durability)
    {
        EnumArgument.RequireDefined(durability);
        ThrowIfUnwritable();
        if (batch.HasPuts && space.IsLow && (batch.MayUseReserve ? space.Refill() : space.RequireRoom())) background.Signal();
        if (batch.LongestPutKeyBytes > options.MaxKeyBytes)
            throw new KeyLengthException(batch.LongestPutKeyBytes, options.MaxKeyBytes);
        if (batch.LongestValueBytes > options.MaxValueBytes)
            throw new ValueTooLongException(batch.LongestValueBytes, options.MaxValueBytes);
    }

    // Taken away while it is in use: after an exception it is simply gone.
    static WriteBatch RentSingleWrite()
    {
        var batch = singleWrite ?? new WriteBatch();
        singleWrite = null;
        return batch;
    }

    static void ReturnSingleWrite(WriteBatch batch)
    {
        batch.Clear();
        batch.Trim(KeptBatchBytes);
        singleWrite = batch;
    }
}
