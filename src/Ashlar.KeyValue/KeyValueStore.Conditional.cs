using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

// Writes that take effect only if keys are what their caller believes. The caller looks, and may wait for the disk; the leader of its
// group makes sure that nothing has changed since (ConditionChecker).
public sealed partial class KeyValueStore
{
    // Each attempt that is undecided means that memtables were filled and flushed since the caller looked.
    internal const int MaxConditionAttempts = 64;

    const int StoredKeyStackBytes = 256;

    /// <inheritdoc />
    public bool PutIfAbsent(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync) =>
        PutIfUnchanged(key, value, 0, durability);

    /// <inheritdoc />
    public bool PutIfAbsent(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Put(key, value, timeToLive, options.TimeProvider);
        return TryWriteSingle(batch, key, 0, durability);
    }

    /// <inheritdoc />
    public bool PutIfUnchanged(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong sequence, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Put(key, value);
        return TryWriteSingle(batch, key, sequence, durability);
    }

    /// <inheritdoc />
    public bool DeleteIfUnchanged(ReadOnlySpan<byte> key, ulong sequence, Durability durability = Durability.Sync)
    {
        var batch = RentSingleWrite();
        batch.Delete(key);
        return TryWriteSingle(batch, key, sequence, durability);
    }

    /// <inheritdoc />
    public bool TryWrite(WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(conditions);
        RequireOwnKeyspaces(conditions.Keyspaces);
        return TryWrite(batch, new WriteCheck(conditions.ToArray(), [], 0), durability);
    }

    /// <inheritdoc />
    public ValueTask<bool> TryWriteAsync(
        WriteBatch batch, WriteConditions conditions, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(conditions);
        cancellationToken.ThrowIfCancellationRequested();
        EnumArgument.RequireDefined(durability);
        ThrowIfUnwritable();
        RequireOwnKeyspaces(conditions.Keyspaces);
        return TryWriteAsync(batch, new WriteCheck(conditions.ToArray(), [], 0), durability, isLooked: false, cancellationToken);
    }

    /// <inheritdoc />
    public bool TryRenew(ReadOnlySpan<byte> key, TimeSpan timeToLive, Durability durability = Durability.Sync) =>
        TryRenew(null, key, timeToLive, durability);

    /// <inheritdoc />
    public long Increment(ReadOnlySpan<byte> key, long delta, Durability durability = Durability.Sync) =>
        Increment(null, key, delta, timeToLive: null, durability);

    /// <inheritdoc />
    public long Increment(ReadOnlySpan<byte> key, long delta, TimeSpan timeToLive, Durability durability = Durability.Sync) =>
        Increment(null, key, delta, timeToLive, durability);

    // Every attempt in vain means that somebody else has incremented it, or written it in another way.
    const int MaxIncrementAttempts = 10_000;

    /// <summary>Renews an entry of a keyspace; null: of none.</summary>
    internal bool TryRenew(KeyspaceIdentity? keyspace, ReadOnlySpan<byte> key, TimeSpan timeToLive, Durability durability)
    {
        EnumArgument.RequireDefined(durability);
        ThrowIfUnwritable();
        var stored = keyspace is null ? key : keyspace.Store(key, stackalloc byte[StoredKeyStackBytes]);
        for (var attempt = 0; attempt < MaxConditionAttempts; attempt++)
        {
            if (Get(stored, out var info) is not { } value) return false;
            var batch = RentSingleWrite();
            batch.Put(keyspace, key, value, Expiry.After(timeToLive, options.TimeProvider));
            if (TryWriteSingle(batch, stored, info.Sequence, durability)) return true;
        }

        throw new WriteContentionException(files.Directory, MaxConditionAttempts);
    }

    /// <summary>Adds to a number in a keyspace; null: in none.</summary>
    internal long Increment(KeyspaceIdentity? keyspace, ReadOnlySpan<byte> key, long delta, TimeSpan? timeToLive, Durability durability)
    {
        EnumArgument.RequireDefined(durability);
        ThrowIfUnwritable();
        DateTimeOffset? newEnd = null;
        var stored = keyspace is null ? key : keyspace.Store(key, stackalloc byte[StoredKeyStackBytes]);
        Span<byte> value = stackalloc byte[sizeof(long)];
        for (var attempt = 0; attempt < MaxIncrementAttempts; attempt++)
        {
            var sum = delta;
            if (timeToLive is { } time) newEnd = ExpiryAfter(time); // Also where it is not needed: a time that makes no sense is refused.
            if (Get(stored, out var info) is { } present)
            {
                if (present.Length != sizeof(long)) throw new CounterException(files.Directory, KeyText.Of(key), present.Length);
                sum = checked(BinaryPrimitives.ReadInt64LittleEndian(present) + delta);
            }

            BinaryPrimitives.WriteInt64LittleEndian(value, sum);
            var batch = RentSingleWrite();
            // What is there keeps its end, or has none: one that is absent has no sequence.
            var end = info.Sequence == 0 ? newEnd : info.ExpiresAt;
            batch.Put(keyspace, key, value, end is { } expiresAt ? Expiry.At(expiresAt) : 0);
            if (TryWriteSingle(batch, stored, info.Sequence, durability)) return sum;
        }

        throw new WriteContentionException(files.Directory, MaxIncrementAttempts);
    }

    internal bool TryWriteSingle(WriteBatch batch, ReadOnlySpan<byte> key, ulong sequence, Durability durability)
    {
        var isWritten = TryWrite(batch, new WriteCheck([new(key.ToArray(), sequence, 0)], [], 0), durability);
        ReturnSingleWrite(batch);
        return isWritten;
    }

    bool TryWrite(WriteBatch batch, WriteCheck check, Durability durability)
    {
        batch.BeginWrite();
        try
        {
            Check(batch, durability);
            return TryWriteHeld(batch, check, durability, isLooked: false) == CheckOutcome.Holds;
        }
        finally
        {
            batch.EndWrite();
        }
    }

    /// <summary>Writes a batch that is held, if conditions hold.</summary>
    /// <param name="batch">The batch, checked.</param>
    /// <param name="check">The conditions.</param>
    /// <param name="durability">What the write has survived when the call returns.</param>
    /// <param name="isLooked">Whether the conditions are known to hold as of <see cref="WriteCheck.HeldAt"/>.</param>
    internal CheckOutcome TryWriteHeld(WriteBatch batch, WriteCheck check, Durability durability, bool isLooked)
    {
        for (var attempt = 0; attempt < MaxConditionAttempts; attempt++)
        {
            if (!(isLooked && attempt == 0) && !Holds(check)) return CheckOutcome.Fails;
            commits.Run(CommitRequest.Write, batch, durability, check);
            if (check.Outcome != CheckOutcome.Stale) return check.Outcome;
        }

        throw new WriteContentionException(files.Directory, MaxConditionAttempts);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    internal async ValueTask<bool> TryWriteAsync(
        WriteBatch batch, WriteCheck check, Durability durability, bool isLooked, CancellationToken cancellationToken)
    {
        using var held = batch.Hold();
        Check(batch, durability);
        for (var attempt = 0; attempt < MaxConditionAttempts; attempt++)
        {
            if (!(isLooked && attempt == 0))
            {
                var holds = false;
                // By now it may be a thread that others wait for; the caller's own looks the first time.
                if (attempt > 0) await WorkerThreads.Blocking.RunAsync(_ => holds = Holds(check), this).ConfigureAwait(false);
                else holds = Holds(check);
                if (!holds) return false;
            }

            batch.BeginWrite(); // The pending write ends it.
            ValueTask written;
            try
            {
                written = commits.RunAsync(commits.RentAsync(), batch, durability, cancellationToken, check);
            }
            catch
            {
                batch.EndWrite();
                throw;
            }

            await written.ConfigureAwait(false);
            if (check.Outcome != CheckOutcome.Stale) return check.Outcome == CheckOutcome.Holds;
        }

        throw new WriteContentionException(files.Directory, MaxConditionAttempts);
    }

    // Whether all conditions hold now; from here on the leader knows what has changed.
    bool Holds(WriteCheck check)
    {
        var version = state.AcquireNewest(out var sequence);
        try
        {
            foreach (ref var condition in check.Keys.AsSpan())
            {
                using var read = state.Read();
                var isPresent = version.TryGet(read.Slot, condition.Key, sequence, state.Clock, out var found);
                if ((isPresent ? found.Sequence : 0) != condition.Sequence)
                {
                    check.Fail(condition.Key);
                    return false;
                }

                if (isPresent) condition = condition with { ExpiresAt = found.ExpiresAt };
            }

            if (check.FirstExpiry.HasPassed(Expiry.Now(state.Clock)))
            {
                check.Fail(check.FirstExpiry.Key);
                return false;
            }

            foreach (var range in check.Ranges)
            {
                if (RangeChanges.Find(version, range, check.HeldAt, sequence) is not { } changed) continue;
                check.Fail(changed);
                return false;
            }

            check.HeldAt = sequence;
            return true;
        }
        finally
        {
            version.Release();
        }
    }
}
