using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

public sealed partial class ShardedKeyValueStore
{
    /// <inheritdoc />
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

    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public void Put(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        if (IsSalted(key)) throw SaltedExpires();
        RequireAllowed(key, value);
        Enter();
        ShardOf(key).Put(key, value, timeToLive, durability);
    }

    /// <inheritdoc />
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

    /// <summary>
    /// Deletes all keys in a range, in each shard in the same time and space however many there are. In each shard it is atomic, the whole
    /// is not: as <see cref="WritePerShard"/>.
    /// </summary>
    /// <inheritdoc cref="KeyValueStore.DeleteRange(KeyRange, Durability)" />
    /// <exception cref="NotSupportedException">The range may hold keys that begin with <see cref="SaltedPrefix"/>.</exception>
    public void DeleteRange(KeyRange range, Durability durability = Durability.Sync)
    {
        var batch = new WriteBatch();
        batch.DeleteRange(range);
        WritePerShard(batch, durability);
    }

    /// <summary>Applies a batch atomically; all of its keys are in one shard. The batch may be reused afterwards.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <exception cref="ArgumentException">The batch has entries of a keyspace; nothing was written.</exception>
    /// <exception cref="CrossShardBatchException">The batch has keys of several shards; nothing was written.</exception>
    /// <inheritdoc cref="IKeyspace.Write" path="/exception" />
    public void Write(WriteBatch batch, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var held = batch.Hold(); // From here on it is what its shard was chosen by.
        var shard = OnlyShardOf(batch);
        Enter();
        WriteTo(shard, batch, durability);
    }

    /// <inheritdoc />
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        if (MayPassAtOnce(key))
        {
            RequireAllowed(key, value);
            return ShardOf(key).PutAsync(key, value, durability, cancellationToken);
        }

        var batch = new WriteBatch();
        batch.Put(key, value);
        return WriteAsync(batch, durability, cancellationToken);
    }

    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        if (IsSalted(key)) throw SaltedExpires();
        if (MayPassAtOnce(key))
        {
            RequireAllowed(key, value);
            return ShardOf(key).PutAsync(key, value, timeToLive, durability, cancellationToken);
        }

        var batch = new WriteBatch();
        batch.Put(key, value, ExpiryAfter(timeToLive));
        return WriteAsync(batch, durability, cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask DeleteAsync(
        ReadOnlySpan<byte> key, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        if (MayPassAtOnce(key)) return ShardOf(key).DeleteAsync(key, durability, cancellationToken);
        var batch = new WriteBatch();
        batch.Delete(key);
        return WriteAsync(batch, durability, cancellationToken);
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
    /// <exception cref="ArgumentException">The batch has entries of a keyspace; nothing was written.</exception>
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
            WriteTo(parts[^1].Shard, parts[^1].Batch, durability);
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

    /// <inheritdoc />
    public ValueTask SyncAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfClosed();
        var syncs = new Task[shards.Length];
        for (var i = 0; i < syncs.Length; i++) syncs[i] = BeginSync(shards[i], cancellationToken);
        return new(Task.WhenAll(syncs));
    }

    /// <inheritdoc />
    public DateTimeOffset ExpiryAfter(TimeSpan timeToLive) => shards[0].ExpiryAfter(timeToLive);

    // All flushes are under way at once, each led by a thread that its shard has anyway.
    void SyncShards()
    {
        if (!isSideBySide)
        {
            foreach (var shard in shards) shard.Sync();
            return;
        }

        var syncs = new Task[shards.Length];
        for (var i = 0; i < syncs.Length; i++) syncs[i] = BeginSync(shards[i], CancellationToken.None);
        Task.WhenAll(syncs).GetAwaiter().GetResult();
    }

    // Without an await: what comes after it would be posted to the caller's context, which waits here. One that refuses at once does not
    // keep the others from being waited for.
    static Task BeginSync(KeyValueStore shard, CancellationToken cancellationToken)
    {
        try
        {
            return shard.SyncAsync(cancellationToken).AsTask();
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

    // Each of these looks before it writes, and the gate is passed ahead of both: a snapshot waits for no writer.
    KeyValueStore EnterShardOf(ReadOnlySpan<byte> key)
    {
        if (IsSalted(key)) throw SaltedCondition();
        Enter();
        return ShardOf(key);
    }

    // Neither a salted key nor one that has to wait for the gate.
    bool MayPassAtOnce(ReadOnlySpan<byte> key)
    {
        ThrowIfClosed();
        return !IsSalted(key) && gate.UntilOpen.IsCompleted;
    }

    // Shards close one by one: once a caller may have met a closed one, no later write of it finds another still open.
    void Enter()
    {
        ThrowIfClosed();
        gate.Pass();
    }

    void WriteTo(int shard, WriteBatch batch, Durability durability)
    {
        if (HasSalted(batch)) saltQueues[shard].Write(batch, durability);
        else shards[shard].Write(batch, durability);
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
            var shard = ShardOf(batch, entry);
            if (entry.IsRangeDelete && shard < 0) throw new CrossShardBatchException(Math.Max(0, first), first <= 0 ? 1 : 0);
            if (first < 0) first = shard;
            if (shard >= 0 && shard != first) throw new CrossShardBatchException(first, shard);
        }

        return first >= 0 ? first : NextSaltShard();
    }

    int ShardOf(WriteBatch batch, in WriteBatchEntry entry) =>
        entry.IsOfKeyspace ? throw new ArgumentException("It has entries of a keyspace, and sharded stores have none.", nameof(batch))
        : entry.IsRangeDelete ? ShardOfRange(entry)
        : GetShard(entry.Key);

    // The only shard that a range can have keys in, or -1. Of a key that is salted the marks of what was deleted would go, and older copies
    // of other shards be laid bare.
    int ShardOfRange(in WriteBatchEntry entry) => MayBeSalted(entry.Range)
        ? throw new NotSupportedException("A range that may hold keys under the salted prefix cannot be deleted as a whole.")
        : OnlyShardOf(entry.Range);

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
            var shard = ShardOf(batch, entry);
            if (entry.IsRangeDelete && shard < 0)
            {
                for (var each = 0; each < parts.Length; each++)
                    (parts[each] ??= new WriteBatch { MayUseReserve = batch.MayUseReserve }).Add(entry);
                continue;
            }

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
