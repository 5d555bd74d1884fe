using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    const int KeptBatchBytes = 1 << 20;

    [ThreadStatic]
    static WriteBatch? singleWrite;

    /// <inheritdoc />
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Put(key, value);
        Write(batch, durability);
        ReturnSingleWrite(batch);
    }

    /// <inheritdoc />
    public void Put(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Put(key, value, timeToLive, options.TimeProvider);
        Write(batch, durability);
        ReturnSingleWrite(batch);
    }

    /// <inheritdoc />
    public void Delete(ReadOnlySpan<byte> key, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Delete(key);
        Write(batch, durability);
        ReturnSingleWrite(batch);
    }

    /// <inheritdoc />
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

    /// <inheritdoc />
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var write = commits.RentAsync();
        write.OwnBatch.Put(key, value);
        return Submit(write, write.OwnBatch, durability, cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var write = commits.RentAsync();
        write.OwnBatch.Put(key, value, timeToLive, options.TimeProvider);
        return Submit(write, write.OwnBatch, durability, cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask DeleteAsync(
        ReadOnlySpan<byte> key, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var write = commits.RentAsync();
        write.OwnBatch.Delete(key);
        return Submit(write, write.OwnBatch, durability, cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask WriteAsync(
        WriteBatch batch, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        cancellationToken.ThrowIfCancellationRequested();
        return Submit(commits.RentAsync(), batch, durability, cancellationToken);
    }

    /// <inheritdoc />
    public void Sync()
    {
        ThrowIfUnwritable();
        commits.Run(CommitRequest.Write, null, Durability.Sync);
    }

    /// <inheritdoc />
    public ValueTask SyncAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfUnwritable();
        return commits.RunAsync(commits.RentAsync(), null, Durability.Sync, cancellationToken);
    }

    /// <inheritdoc />
    public DateTimeOffset ExpiryAfter(TimeSpan timeToLive) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Expiry.After(timeToLive, options.TimeProvider));

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

    /// <summary>Writes one entry of a keyspace, which is copied before the call returns.</summary>
    internal ValueTask WriteSingleAsync(
        KeyspaceIdentity keyspace, EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt, Durability durability,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var write = commits.RentAsync();
        write.OwnBatch.Add(keyspace, kind, key, value, expiresAt);
        return Submit(write, write.OwnBatch, durability, cancellationToken);
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

    void SyncInBackground() => RunInBackground(() => commits.RunAsync(commits.RentAsync(), null, Durability.Sync, CancellationToken.None));

    void FlushInBackground() => RunInBackground(() => commits.RequestAsync(CommitRequest.RotateMemTable));

    void RunInBackground(Func<ValueTask> run)
    {
        if (Volatile.Read(ref isClosing) != 0) return;
        try
        {
            // A failure poisons the store, which tells everybody who cares, or leaves all as it is.
            _ = run().AsTask().ContinueWith(
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
        if (batch.Keyspaces is not null) RequireOwnKeyspaces(batch.Keyspaces);
        if (batch.LongestPutKeyBytes > options.MaxKeyBytes)
            throw new KeyLengthException(batch.LongestPutKeyBytes, options.MaxKeyBytes);
        if (batch.LongestKeyspaceKeyBytes > MaxKeyspaceKeyBytes)
            throw new KeyLengthException(batch.LongestKeyspaceKeyBytes, MaxKeyspaceKeyBytes);
        if (batch.LongestValueBytes > options.MaxValueBytes)
            throw new ValueTooLongException(batch.LongestValueBytes, options.MaxValueBytes);
    }

    // Taken away while it is in use: after an exception it is simply gone.
    internal static WriteBatch RentSingleWrite()
    {
        var batch = singleWrite ?? new WriteBatch();
        singleWrite = null;
        return batch;
    }

    internal static void ReturnSingleWrite(WriteBatch batch)
    {
        batch.Clear();
        batch.Trim(KeptBatchBytes);
        singleWrite = batch;
    }
}
