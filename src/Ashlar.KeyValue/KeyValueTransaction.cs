using System.Buffers;
using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Transactions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Reads and writes that take effect together, at one moment, or not at all. It reads the store as it was when the transaction began, with
/// its own writes on top; nobody else sees those before they are committed. Nobody is locked out meanwhile: if somebody has written what
/// it has read, its commit is refused instead. So it is as if transactions and other writes were carried out one after the other
/// (serializable), scanned ranges included, and in the order in which they return.
/// </summary>
/// <remarks>
/// <para>For one thread at a time. Several may be open on one thread: each is for itself, and they may conflict. Dispose it: until then it
/// keeps what it can see, as a snapshot does, and its reads and writes stay in memory. One that is disposed without a commit was rolled
/// back.</para>
/// <para>The end of a time to live is no write: an entry that was read and has expired by the time of the commit is a conflict, one that
/// was absent then because it had expired is not.</para>
/// </remarks>
public sealed class KeyValueTransaction : IKeyValueReader, IDisposable
{
    readonly KeyValueStore store;
    readonly KeyValueSnapshot snapshot;
    readonly TransactionWrites writes = new();
    readonly TransactionReads reads = new();
    bool isDisposed;

    internal KeyValueTransaction(KeyValueStore store)
    {
        this.store = store;
        snapshot = store.CreateSnapshot();
    }

    /// <summary>Where it stands.</summary>
    public TransactionState State { get; private set; }

    /// <summary>Sequence of the last write of others that it sees.</summary>
    public ulong Sequence => snapshot.Sequence;

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        if (TryGetOwn(key, out var own, out var isPresent)) return isPresent ? own.ToArray() : null;
        var value = snapshot.Get(key, out var info);
        reads.Add(key, info);
        return value;
    }

    /// <inheritdoc />
    /// <remarks>What the transaction itself has written has no sequence yet: it is 0.</remarks>
    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        info = default;
        if (TryGetOwn(key, out var own, out var isPresent, out var expiresAt))
        {
            if (isPresent) info = KeyValueEntryInfo.Of(0, expiresAt);
            return isPresent ? own.ToArray() : null;
        }

        var value = snapshot.Get(key, out info);
        reads.Add(key, info);
        return value;
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (TryGetOwn(key, out var own, out var isPresent))
        {
            if (isPresent) value.Write(own);
            return isPresent;
        }

        reads.Add(key, InfoOf(key));
        return snapshot.TryGet(key, value);
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        if (TryGetOwn(key, out var own, out var isPresent))
        {
            valueLengthBytes = isPresent ? own.Length : 0;
            return isPresent && own.TryCopyTo(destination);
        }

        reads.Add(key, InfoOf(key));
        return snapshot.TryGet(key, destination, out valueLengthBytes);
    }

    /// <inheritdoc />
    public bool ContainsKey(ReadOnlySpan<byte> key) => TryGetInfo(key, out _);

    /// <inheritdoc />
    /// <remarks>What the transaction itself has written has no sequence yet: it is 0.</remarks>
    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        info = default;
        if (TryGetOwn(key, out _, out var isPresent, out var expiresAt))
        {
            if (isPresent) info = KeyValueEntryInfo.Of(0, expiresAt);
            return isPresent;
        }

        var isThere = snapshot.TryGetInfo(key, out info);
        reads.Add(key, info);
        return isThere;
    }

    /// <inheritdoc />
    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        RequireOpen();
        // First: what expires in between was there.
        foreach (var key in keys)
            if (!TryGetOwn(key.Span, out _, out _)) reads.Add(key.Span, InfoOf(key.Span));
        var values = snapshot.MultiGet(keys);
        for (var i = 0; i < values.Length; i++)
            if (TryGetOwn(keys[i].Span, out var own, out var isPresent)) values[i] = isPresent ? own.ToArray() : null;
        return values;
    }

    /// <inheritdoc />
    /// <remarks>It sees the transaction's writes up to this call. What it passes counts as read: the range up to where it was
    /// left.</remarks>
    public IKeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward) =>
        ScanAll(store.State.HasKeyspaces ? range.Until(KeyspaceRegion.Start) : range, direction);

    /// <summary>A keyspace of the store as the transaction sees it: what is read and written there belongs to the transaction.</summary>
    /// <exception cref="ArgumentException">The keyspace is one of another store, or of another opening.</exception>
    /// <exception cref="KeyspaceDroppedException">The keyspace was dropped.</exception>
    public KeyspaceTransaction In(Keyspace keyspace)
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        RequireOpen();
        store.RequireOwnKeyspaces([keyspace.Identity]);
        return new(this, keyspace.Identity);
    }

    /// <summary>Opens a cursor over keys of any kind.</summary>
    internal IKeyValueCursor ScanAll(KeyRange range, ScanDirection direction)
    {
        RequireOpen();
        EnumArgument.RequireDefined(direction);
        return new TransactionCursor(
            snapshot.ScanAll(range, direction), writes, reads, range, direction, Expiry.Now(store.State.Clock), RequireOpen);
    }

    internal void Put(KeyspaceIdentity keyspace, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        RequireWritable(key, value, isInKeyspace: true);
        writes.Add(keyspace, EntryKind.Put, key, value);
    }

    internal void Put(KeyspaceIdentity keyspace, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive)
    {
        RequireWritable(key, value, isInKeyspace: true);
        writes.Add(keyspace, EntryKind.ExpiringPut, key, value, Expiry.After(timeToLive, store.State.Clock));
    }

    internal void Delete(KeyspaceIdentity keyspace, ReadOnlySpan<byte> key)
    {
        RequireWritable(key: default, value: default, isInKeyspace: true);
        writes.Add(keyspace, EntryKind.Delete, key, default);
    }

    /// <summary>Writes one entry when the transaction is committed. Key and value are copied.</summary>
    /// <exception cref="TransactionEndedException">The transaction has ended.</exception>
    /// <exception cref="KeyLengthException">The key is empty or too long.</exception>
    /// <exception cref="ValueTooLongException">The value is too long.</exception>
    /// <exception cref="BatchTooLargeException">The transaction would outgrow <see cref="WriteBatch.MaxBytes"/>.</exception>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        RequireWritable(key, value);
        writes.Put(key, value);
    }

    /// <summary>Writes one entry that reads as absent once a time has passed since this call, by the store's clock.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="timeToLive">The time, which is rounded up to milliseconds.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The time is zero or negative, or ends beyond the year 9999.
    /// </exception>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte})" path="/exception"/>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive)
    {
        RequireWritable(key, value);
        writes.Put(key, value, store.ExpiryAfter(timeToLive));
    }

    /// <summary>Deletes one entry when the transaction is committed; a missing one is no error.</summary>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte})" path="/exception"/>
    public void Delete(ReadOnlySpan<byte> key)
    {
        RequireWritable(key: default, value: default);
        writes.Delete(key);
    }

    /// <summary>Lets all of it take effect.</summary>
    /// <param name="durability">What it has survived when the call returns.</param>
    /// <exception cref="TransactionConflictException">Somebody has written what it has read. Nothing was written.</exception>
    /// <inheritdoc cref="TryCommit" path="/exception"/>
    public void Commit(Durability durability = Durability.Sync)
    {
        if (Conflict(durability) is { } conflict) throw conflict;
    }

    /// <summary>Lets all of it take effect; false if somebody has written what it has read, and then nothing was written.</summary>
    /// <remarks>One that has only read has nothing to lose: it saw one moment, and is committed.</remarks>
    /// <param name="durability">What it has survived when the call returns true.</param>
    /// <exception cref="TransactionEndedException">The transaction has ended.</exception>
    /// <exception cref="StorageException">
    /// The write failed and nothing of it is left, for example because the disk is full. The transaction is still open.
    /// </exception>
    /// <exception cref="StorePoisonedException">
    /// Whether the write is on disk is unknown, or that of an earlier one is.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public bool TryCommit(Durability durability = Durability.Sync) => Conflict(durability) is null;

    /// <summary>As <see cref="Commit"/>; no thread waits for the write.</summary>
    /// <param name="durability">What it has survived when the task completes.</param>
    /// <param name="cancellationToken">
    /// Cancels a commit that no leader has taken yet, and leaves the transaction open; once one has, the commit takes its course.
    /// </param>
    /// <inheritdoc cref="Commit" path="/exception"/>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask CommitAsync(Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        if (await ConflictAsync(durability, cancellationToken).ConfigureAwait(false) is { } conflict) throw conflict;
    }

    /// <summary>As <see cref="TryCommit"/>; no thread waits for the write.</summary>
    /// <inheritdoc cref="CommitAsync" path="/param"/>
    /// <inheritdoc cref="TryCommit" path="/exception"/>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> TryCommitAsync(
        Durability durability = Durability.Sync, CancellationToken cancellationToken = default) =>
        await ConflictAsync(durability, cancellationToken).ConfigureAwait(false) is null;

    /// <summary>Gives the transaction up: nothing of it is written.</summary>
    /// <exception cref="TransactionEndedException">The transaction has ended otherwise.</exception>
    public void Rollback()
    {
        if (State != TransactionState.RolledBack) RequireOpen();
        End(TransactionState.RolledBack);
    }

    /// <summary>Lets go of what it keeps. If it was not committed, it is rolled back.</summary>
    public void Dispose()
    {
        isDisposed = true;
        // A commit under way ends it itself.
        if (State != TransactionState.Committing) End(State == TransactionState.Open ? TransactionState.RolledBack : State);
    }

    // Null: it took effect.
    TransactionConflictException? Conflict(Durability durability)
    {
        var check = BeginCommit(durability);
        try
        {
            store.CommitTransaction(writes.Batch, check, durability);
            return EndCommit(check);
        }
        catch (Exception failure)
        {
            FailCommit(failure);
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<TransactionConflictException?> ConflictAsync(Durability durability, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var check = BeginCommit(durability);
        try
        {
            await store.CommitTransactionAsync(writes.Batch, check, durability, cancellationToken).ConfigureAwait(false);
            return EndCommit(check);
        }
        catch (Exception failure)
        {
            FailCommit(failure);
            throw;
        }
    }

    WriteCheck BeginCommit(Durability durability)
    {
        RequireOpen();
        EnumArgument.RequireDefined(durability);
        State = TransactionState.Committing;
        return new WriteCheck(reads.Keys(), reads.Ranges(), snapshot.Sequence, reads.FirstExpiry);
    }

    TransactionConflictException? EndCommit(WriteCheck check)
    {
        var isCommitted = check.Outcome == CheckOutcome.Holds;
        Invariant.Require(isCommitted || check.FailedKey is not null);
        End(isCommitted ? TransactionState.Committed : TransactionState.Conflicted);
        return isCommitted ? null : store.ConflictAt(check.FailedKey!);
    }

    void FailCommit(Exception failure)
    {
        switch (failure)
        {
            case StorePoisonedException:
                End(TransactionState.InDoubt);
                break;
            case TransactionConflictException:
                End(TransactionState.Conflicted);
                break;
            default:
                if (isDisposed) End(TransactionState.RolledBack);
                else State = TransactionState.Open; // It was refused, and may be tried again.
                break;
        }
    }

    void End(TransactionState end)
    {
        State = end;
        writes.Dispose();
        snapshot.Dispose();
    }

    KeyValueEntryInfo InfoOf(ReadOnlySpan<byte> key) => snapshot.TryGetInfo(key, out var info) ? info : default;

    bool TryGetOwn(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out bool isPresent) =>
        TryGetOwn(key, out value, out isPresent, out _);

    bool TryGetOwn(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out bool isPresent, out long expiresAt)
    {
        RequireOpen();
        (isPresent, expiresAt) = (false, 0);
        if (!writes.TryGet(key, out var kind, out value)) return false;
        isPresent = Expiry.IsPresent(kind, value, store.State.Clock);
        if (!kind.Expires()) return true;
        expiresAt = Expiry.Read(value);
        value = value[Expiry.SizeBytes..];
        return true;
    }

    void RequireWritable(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool isInKeyspace = false)
    {
        RequireOpen();
        store.RequireWritable(key.Length, value.Length, isInKeyspace);
    }

    void RequireOpen()
    {
        if (State != TransactionState.Open) throw new TransactionEndedException(State);
    }
}
