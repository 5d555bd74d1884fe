using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

public sealed partial class ShardedKeyValueStore
{
    /// <inheritdoc cref="KeyValueStore.Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" />
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync)
    {
        if (IsSalted(key))
        {
            var batch = new WriteBatch();
            batch.Put(key, value);
            Write(batch, durability);
            return;
        }

        RequireAllowed(key, value);
        Enter();
        ShardOf(key).Put(key, value, durability);
    }

    /// <inheritdoc cref="KeyValueStore.Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan, Durability)" />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public void Put(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        if (IsSalted(key)) throw SaltedExpires();
        RequireAllowed(key, value);
        Enter();
        ShardOf(key).Put(key, value, timeToLive, durability);
    }

    /// <inheritdoc cref="KeyValueStore.Delete(ReadOnlySpan{byte}, Durability)" />
    public void Delete(ReadOnlySpan<byte> key, Durability durability = Durability.Sync)
    {
        if (IsSalted(key))
        {
            var batch = new WriteBatch();
            batch.Delete(key);
            Write(batch, durability);
            return;
        }

        Enter();
        ShardOf(key).Delete(key, durability);
    }

    /// <summary>Applies a batch atomically; all of its keys are in one shard. The batch may be reused afterwards.</summary>
    /// <exception cref="CrossShardBatchException">The batch has keys of several shards; nothing was written.</exception>
    /// <exception cref="KeyLengthException">A key is longer than the store's limit.</exception>
    /// <exception cref="ValueTooLongException">A value is longer than the store's limit.</exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left, for example because the disk is full.
    /// </exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    public void Write(WriteBatch batch, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var held = batch.Hold(); // From here on it is what its shard was chosen by.
        var shard = OnlyShardOf(batch);
        Enter();
        if (HasSalted(batch)) saltQueues[shard].Write(batch, durability);
        else shards[shard].Write(batch, durability);
    }

    /// <summary>
    /// Applies a batch atomically; many writes may be outstanding from one thread. The batch refuses changes until the task
    /// completes. A batch with salted keys may take effect after later ones that are outstanding with it.
    /// </summary>
    /// <inheritdoc cref="Write" />
    public ValueTask WriteAsync(
        WriteBatch batch, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ThrowIfClosed();
        var held = batch.Hold();
        try
        {
            var shard = OnlyShardOf(batch);
            // It is queued before this returns, or holds the batch by itself until it is.
            return gate.UntilOpen is { IsCompleted: false } opened
                ? AfterAsync(opened, shard, batch, durability, cancellationToken)
                : WriteToAsync(shard, batch, durability, cancellationToken);
        }
        finally
        {
            held.Dispose();
        }
    }

    /// <summary>
    /// Applies a batch shard by shard, side by side: what belongs to one shard is atomic, the whole is not. When this fails, or
    /// the power does, some shards may have their part and others not; readers may see that in between, too.
    /// </summary>
    /// <exception cref="StorageException">The first failure of a part; others may have been written.</exception>
    /// <exception cref="StorePoisonedException">A shard refuses writes; parts of others may have been written.</exception>
    public void WritePerShard(WriteBatch batch, Durability durability = Durability.Sync)
    {
        EnumArgument.RequireDefined(durability); // Here: some parts would be written before another is refused.
        var parts = Split(batch);
        if (parts.Count == 0) return;
        Enter();
        // All but the last are under way while this thread works for the last.
        var outstanding = new List<Task>(parts.Count - 1);
        try
        {
            foreach (var part in parts[..^1])
                outstanding.Add(WriteToAsync(part.Shard, part.Batch, durability, CancellationToken.None).AsTask());
            Write(parts[^1].Batch, durability);
        }
        finally
        {
            Task.WhenAll(outstanding).GetAwaiter().GetResult();
        }
    }

    /// <inheritdoc cref="WritePerShard" />
    public async Task WritePerShardAsync(
        WriteBatch batch, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        EnumArgument.RequireDefined(durability); // Here: some parts would be written before another is refused.
        var parts = Split(batch);
        // Not in the caller's context, here and below: it may be waiting for this call.
        await gate.UntilOpen.WaitAsync(cancellationToken).ConfigureAwait(false);
        ThrowIfClosed();
        cancellationToken.ThrowIfCancellationRequested();
        await Task.WhenAll(parts.Select(part =>
            WriteToAsync(part.Shard, part.Batch, durability, CancellationToken.None).AsTask())).ConfigureAwait(false);
    }

    /// <summary>Makes every write that completed before this call durable, in all shards.</summary>
    /// <exception cref="StorePoisonedException">That failed in a shard, now or earlier.</exception>
    public void Sync()
    {
        ThrowIfClosed();
        SyncShards();
    }

    // All flushes are under way at once, each led by a thread that its shard has anyway.
    void SyncShards()
    {
        if (!isSideBySide)
        {
            foreach (var shard in shards) shard.Sync();
            return;
        }

        var syncs = new Task[shards.Length];
        for (var i = 0; i < syncs.Length; i++) syncs[i] = BeginSync(shards[i]);
        Task.WhenAll(syncs).GetAwaiter().GetResult();
    }

    // Without an await: what comes after it would be posted to the caller's context, which waits here. One that refuses at once does not
    // keep the others from being waited for.
    static Task BeginSync(KeyValueStore shard)
    {
        try
        {
            return shard.SyncAsync().AsTask();
        }
        catch (Exception refusal)
        {
            return Task.FromException(refusal);
        }
    }

    /// <summary>
    /// Where the store is: every write that returned before this call is covered. To be waited for with
    /// <see cref="WaitDurableAsync"/>, for example after relaxed writes.
    /// </summary>
    public ShardSequences VisibleSequences => new([.. shards.Select(shard => shard.VisibleSequence)]);

    /// <summary>Every write up to here survives power loss.</summary>
    public ShardSequences DurableSequences => new([.. shards.Select(shard => shard.DurableSequence)]);

    /// <summary>
    /// Completes when every write up to a place is durable. Does not cause a sync by itself: relaxed writes become durable within
    /// <see cref="KeyValueOptions.RelaxedLossTime"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The place is of a store with another number of shards.</exception>
    /// <exception cref="StorePoisonedException">They did not become durable.</exception>
    public Task WaitDurableAsync(ShardSequences sequences, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        ThrowIfClosed();
        if (sequences.Count != shards.Length)
            throw new ArgumentException($"The place has {sequences.Count} shards, the store {shards.Length}.", nameof(sequences));
        return Task.WhenAll(shards.Select((shard, i) => shard.WaitDurableAsync(sequences[i], cancellationToken)));
    }

    // Shards close one by one: once a caller may have met a closed one, no later write of it finds another still open.
    void Enter()
    {
        ThrowIfClosed();
        gate.Pass();
    }

    async ValueTask AfterAsync(
        Task opened, int shard, WriteBatch batch, Durability durability, CancellationToken cancellationToken)
    {
        ValueTask written;
        using (batch.Hold())
        {
            await opened.WaitAsync(cancellationToken).ConfigureAwait(false);
            ThrowIfClosed();
            written = WriteToAsync(shard, batch, durability, cancellationToken);
        }

        await written.ConfigureAwait(false);
    }

    ValueTask WriteToAsync(int shard, WriteBatch batch, Durability durability, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return HasSalted(batch)
            ? saltQueues[shard].WriteAsync(batch, durability)
            : shards[shard].WriteAsync(batch, durability, cancellationToken);
    }

    // Salted keys go with the others of their batch, or anywhere if there are none.
    int OnlyShardOf(WriteBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var first = -1;
        foreach (var entry in batch)
        {
            var shard = GetShard(entry.Key);
            if (first < 0) first = shard;
            if (shard >= 0 && shard != first) throw new CrossShardBatchException(first, shard);
        }

        return first >= 0 ? first : NextSaltShard();
    }

    List<(int Shard, WriteBatch Batch)> Split(WriteBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var held = batch.Hold();
        return SplitUnchanged(batch);
    }

    List<(int Shard, WriteBatch Batch)> SplitUnchanged(WriteBatch batch)
    {
        var parts = new WriteBatch?[shards.Length];
        var saltShard = NextSaltShard();
        foreach (var entry in batch)
        {
            var shard = GetShard(entry.Key);
            (parts[shard < 0 ? saltShard : shard] ??= new WriteBatch { MayUseReserve = batch.MayUseReserve }).Add(entry);
        }

        var used = new List<(int, WriteBatch)>(shards.Length);
        for (var shard = 0; shard < parts.Length; shard++)
        {
            if (parts[shard] is { } part) used.Add((shard, part));
        }

        return used;
    }
}
