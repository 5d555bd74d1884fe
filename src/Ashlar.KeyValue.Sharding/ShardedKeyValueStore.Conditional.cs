namespace Ashlar.KeyValue.Sharding;

// A key is in one shard, which orders all writes of it; so its conditions are checked there. Salted keys have copies in all of them, and no
// such order.
public sealed partial class ShardedKeyValueStore
{
    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public bool PutIfAbsent(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync)
    {
        RequireAllowed(key, value);
        return EnterShardOf(key).PutIfAbsent(key, value, durability);
    }

    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public bool PutIfAbsent(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        RequireAllowed(key, value);
        return EnterShardOf(key).PutIfAbsent(key, value, timeToLive, durability);
    }

    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public bool PutIfUnchanged(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong sequence, Durability durability = Durability.Sync)
    {
        RequireAllowed(key, value);
        return EnterShardOf(key).PutIfUnchanged(key, value, sequence, durability);
    }

    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public bool DeleteIfUnchanged(ReadOnlySpan<byte> key, ulong sequence, Durability durability = Durability.Sync) =>
        EnterShardOf(key).DeleteIfUnchanged(key, sequence, durability);

    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public bool TryRenew(ReadOnlySpan<byte> key, TimeSpan timeToLive, Durability durability = Durability.Sync) =>
        EnterShardOf(key).TryRenew(key, timeToLive, durability);

    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public long Increment(ReadOnlySpan<byte> key, long delta, Durability durability = Durability.Sync) =>
        EnterShardOf(key).Increment(key, delta, durability);

    /// <inheritdoc />
    /// <exception cref="NotSupportedException">The key begins with <see cref="SaltedPrefix"/>.</exception>
    public long Increment(ReadOnlySpan<byte> key, long delta, TimeSpan timeToLive, Durability durability = Durability.Sync) =>
        EnterShardOf(key).Increment(key, delta, timeToLive, durability);

    /// <summary>
    /// Applies a batch atomically if conditions hold; false if one does not. All keys, of the batch and of the conditions, are in one
    /// shard.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="conditions">The conditions; they are copied.</param>
    /// <param name="durability">What the write has survived when the call returns true.</param>
    /// <exception cref="CrossShardBatchException">There are keys of several shards; nothing was written.</exception>
    /// <exception cref="NotSupportedException">A key begins with <see cref="SaltedPrefix"/>.</exception>
    /// <inheritdoc cref="IKeyspace.TryWrite" path="/exception" />
    public bool TryWrite(WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var held = batch.Hold(); // From here on it is what its shard was chosen by.
        var shard = OnlyShardOf(batch, conditions);
        Enter();
        return shards[shard].TryWrite(batch, conditions, durability);
    }

    /// <summary>
    /// As <see cref="TryWrite"/>; no thread waits for the write. The keys of the conditions are looked up before the call returns, which
    /// may wait for the disk.
    /// </summary>
    /// <param name="batch">The batch. It refuses changes until the task completes.</param>
    /// <param name="conditions">The conditions; they are copied.</param>
    /// <param name="durability">What the write has survived when the task completes with true.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    /// <inheritdoc cref="TryWrite" path="/exception" />
    public async ValueTask<bool> TryWriteAsync(
        WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ThrowIfClosed();
        using var held = batch.Hold();
        var shard = OnlyShardOf(batch, conditions);
        await gate.UntilOpen.WaitAsync(cancellationToken).ConfigureAwait(false);
        ThrowIfClosed();
        return await shards[shard].TryWriteAsync(batch, conditions, durability, cancellationToken).ConfigureAwait(false);
    }

    int OnlyShardOf(WriteBatch batch, WriteConditions conditions)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        if (HasSalted(batch)) throw SaltedCondition();
        var only = batch.Count > 0 ? OnlyShardOf(batch) : -1;
        foreach (var key in conditions.Keys)
        {
            var shard = GetShard(key.Span);
            if (shard < 0) throw SaltedCondition();
            if (only >= 0 && shard != only) throw new CrossShardBatchException(only, shard);
            only = shard;
        }

        return Math.Max(only, 0);
    }
}
