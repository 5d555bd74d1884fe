using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// An ordered set of keys with values, to be read and written: a whole store, plain or sharded (<see cref="IKeyValueStore"/>), or a part of
/// one under a name (<see cref="Keyspace"/>). Code that asks for this works with any of them. Safe for concurrent callers.
/// </summary>
public interface IKeyspace : IKeyValueReader
{
    /// <summary>Writes one entry.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <exception cref="KeyLengthException">The key is empty or too long.</exception>
    /// <exception cref="ValueTooLongException">The value is too long.</exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left, for example because the disk is full.
    /// </exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync);

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
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" path="/exception"/>
    void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync);

    /// <summary>Deletes one entry; a missing one is no error.</summary>
    /// <param name="key">The key.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <exception cref="KeyLengthException">
    /// The key is empty, or longer than any can be (<see cref="KeyValueOptions.KeyLimitBytes"/>).
    /// </exception>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)"
    /// path="/exception[not(@cref='T:Ashlar.KeyValue.KeyLengthException')]"/>
    void Delete(ReadOnlySpan<byte> key, Durability durability = Durability.Sync);

    /// <summary>
    /// Deletes all keys in a range, in the same time and space however many there are: atomically, in a sharded store in each shard. A
    /// range without keys is no error.
    /// </summary>
    /// <exception cref="KeyLengthException">A border is longer than any key can be.</exception>
    /// <exception cref="StorageException">The write failed and nothing of it is left, in a sharded store of a shard's part.</exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    void DeleteRange(KeyRange range, Durability durability = Durability.Sync);

    /// <summary>
    /// Applies a batch atomically. The batch may be reused afterwards. Entries that were added for a <see cref="Keyspace"/> go there,
    /// all others to what the batch is written to.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <exception cref="InvalidOperationException">Another thread is changing the batch.</exception>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" path="/exception"/>
    void Write(WriteBatch batch, Durability durability = Durability.Sync);

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
    ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default);

    /// <summary>Writes one entry that reads as absent once a time has passed since this call.</summary>
    /// <inheritdoc cref="PutAsync(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability, CancellationToken)"/>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan, Durability)" path="/remarks"/>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="timeToLive">The time, which is rounded up to milliseconds.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default);

    /// <summary>Deletes one entry, without a thread that waits; a missing one is no error.</summary>
    /// <param name="key">The key.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    /// <inheritdoc cref="Delete(ReadOnlySpan{byte}, Durability)" path="/exception"/>
    ValueTask DeleteAsync(
        ReadOnlySpan<byte> key, Durability durability = Durability.Sync, CancellationToken cancellationToken = default);

    /// <summary>
    /// Applies a batch atomically; many writes may be outstanding from one thread and share one flush. The batch refuses changes until
    /// the task completes.
    /// </summary>
    /// <remarks>
    /// The type of an exception tells what became of the batch. <see cref="StorePoisonedException"/>, and no other, leaves it in doubt:
    /// the store refuses every later write, and its <see cref="IKeyValueStore.Failure"/> is set. With any other the batch was refused:
    /// nothing of it is left or will appear, it sets no <c>Failure</c>, and the same batch may be written again. A full disk is a
    /// <see cref="StorageException"/> of the kind <see cref="StorageErrorKind.NoSpace"/> and always a refusal; what may still be written
    /// then: batches that only delete, and those with <see cref="WriteBatch.MayUseReserve"/>.
    /// </remarks>
    /// <param name="batch">The batch.</param>
    /// <param name="durability">What the write has survived when the task completes.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    /// <inheritdoc cref="Write" path="/exception"/>
    ValueTask WriteAsync(
        WriteBatch batch, Durability durability = Durability.Sync, CancellationToken cancellationToken = default);

    /// <summary>Writes one entry if its key is absent; false if it is present, and then nothing is written.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="durability">What the write has survived when the call returns true.</param>
    /// <exception cref="WriteContentionException">It could not be decided. Nothing was written.</exception>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" path="/exception"/>
    bool PutIfAbsent(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync);

    /// <summary>
    /// Writes one entry that reads as absent once a time has passed, if its key is absent; false if it is present. A lease is taken so.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="timeToLive">The time, which is rounded up to milliseconds.</param>
    /// <param name="durability">What the write has survived when the call returns true.</param>
    /// <exception cref="WriteContentionException">It could not be decided. Nothing was written.</exception>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan, Durability)" path="/exception"/>
    bool PutIfAbsent(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync);

    /// <summary>Replaces one entry if nobody has written its key since it was read; false if somebody has, or it has expired.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The new value. It does not expire.</param>
    /// <param name="sequence">What <see cref="IKeyValueReader.TryGetInfo"/> told; 0: the key is absent.</param>
    /// <param name="durability">What the write has survived when the call returns true.</param>
    /// <inheritdoc cref="PutIfAbsent(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" path="/exception"/>
    bool PutIfUnchanged(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong sequence, Durability durability = Durability.Sync);

    /// <summary>Deletes one entry if nobody has written its key since it was read; false if somebody has, or it has expired.</summary>
    /// <param name="key">The key.</param>
    /// <param name="sequence">What <see cref="IKeyValueReader.TryGetInfo"/> told; 0: the key is absent.</param>
    /// <param name="durability">What the write has survived when the call returns true.</param>
    /// <inheritdoc cref="PutIfAbsent(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" path="/exception"/>
    bool DeleteIfUnchanged(ReadOnlySpan<byte> key, ulong sequence, Durability durability = Durability.Sync);

    /// <summary>Applies a batch atomically if conditions hold at the moment at which it takes effect; false if one does not.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="conditions">The conditions; they are copied.</param>
    /// <param name="durability">What the write has survived when the call returns true.</param>
    /// <exception cref="WriteContentionException">It could not be decided. Nothing was written.</exception>
    /// <inheritdoc cref="Write" path="/exception"/>
    bool TryWrite(WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync);

    /// <summary>
    /// Applies a batch atomically if conditions hold; false if one does not. No thread waits for the write; the keys of the conditions are
    /// looked up before the call returns, which may wait for the disk.
    /// </summary>
    /// <param name="batch">The batch. It refuses changes until the task completes.</param>
    /// <param name="conditions">The conditions; they are copied.</param>
    /// <param name="durability">What the write has survived when the task completes with true.</param>
    /// <param name="cancellationToken">
    /// Cancels a write that no leader has taken yet; once one has, the write takes its course.
    /// </param>
    /// <inheritdoc cref="TryWrite" path="/exception"/>
    ValueTask<bool> TryWriteAsync(
        WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Lets an entry that is present live for a time from now on, whether it would have expired or not; false if it is absent. Its value is
    /// written once more.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="timeToLive">The time, which is rounded up to milliseconds.</param>
    /// <param name="durability">What the write has survived when the call returns true.</param>
    /// <inheritdoc cref="PutIfAbsent(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan, Durability)" path="/exception"/>
    bool TryRenew(ReadOnlySpan<byte> key, TimeSpan timeToLive, Durability durability = Durability.Sync);

    /// <summary>
    /// Adds to a number: 8 bytes, little-endian, signed; an absent key is 0. One that expires does so when it would have. Many who
    /// increment one key at once take turns, with a flush for each where that is asked for.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="delta">What is added; it may be negative.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <returns>The sum.</returns>
    /// <exception cref="CounterException">The key holds something else.</exception>
    /// <exception cref="OverflowException">The sum does not fit into 64 bits. Nothing was written.</exception>
    /// <inheritdoc cref="PutIfAbsent(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" path="/exception"/>
    long Increment(ReadOnlySpan<byte> key, long delta, Durability durability = Durability.Sync);

    /// <summary>
    /// As <see cref="Increment(ReadOnlySpan{byte}, long, Durability)"/>; a number that begins by this expires after a time: what was
    /// counted in a window. One that is there keeps its end, or has none.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="delta">What is added; it may be negative.</param>
    /// <param name="timeToLive">The time that a new number lives, which is rounded up to milliseconds.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <returns>The sum.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is zero or negative, or ends beyond the year 9999.</exception>
    /// <inheritdoc cref="Increment(ReadOnlySpan{byte}, long, Durability)" path="/exception"/>
    long Increment(ReadOnlySpan<byte> key, long delta, TimeSpan timeToLive, Durability durability = Durability.Sync);

    /// <summary>Makes every write that completed before this call durable.</summary>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorePoisonedException">That failed, now or earlier.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    void Sync();

    /// <summary>Makes every write that completed before this call durable; no thread waits for it.</summary>
    /// <param name="cancellationToken">Cancels it unless it has begun; once it has, it takes its course.</param>
    /// <inheritdoc cref="Sync" path="/exception" />
    ValueTask SyncAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The moment by the store's clock when something ends that lives from now on for a time: for
    /// <see cref="WriteBatch.Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, DateTimeOffset)"/>.
    /// </summary>
    /// <param name="timeToLive">The time, which is rounded up to milliseconds.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The time is zero or negative, or ends beyond the year 9999.
    /// </exception>
    DateTimeOffset ExpiryAfter(TimeSpan timeToLive);

    /// <summary>Takes a snapshot: all of it as it is now, for reading. Dispose it.</summary>
    IKeyValueSnapshot CreateSnapshot();
}
