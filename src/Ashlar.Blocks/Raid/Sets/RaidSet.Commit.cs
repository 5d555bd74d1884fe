using System.Buffers;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <remarks>
/// <para>Crash order of a commit: what was dirty of the stripes, with the parity that belongs to it, is written as a batch to as many
/// members as may be lost, and one more; all members are flushed; only then is it written in its place. That is
/// durable with the next flush: batch n says that n - 1 may not be in its place yet, and n - 2 is.</para>
/// <para>So there are three slots: batch n goes where n - 3 was, while n - 2 and n - 1 would be replayed if it does not get through.</para>
/// </remarks>
sealed partial class RaidSet
{
    readonly AsyncLock commitTurn = new();
    readonly StripeCache? cache;
    readonly JournalPlace journal;
    long commitsBegun;
    long commitsDone;
    long lastBatch;
    Exception? flushFailure;

    /// <summary>Where batches go, and what they bear. Without it nothing is cached.</summary>
    public JournalPlace Journal
    {
        get => journal;
        init
        {
            journal = value;
            cache = new StripeCache(layout, chunkBytes);
            lastBatch = value.LastSequence;
        }
    }

    // A flush that began after somebody asked is his as well.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CommitAsync()
    {
        var asked = Volatile.Read(ref commitsBegun);
        await commitTurn.EnterAsync().ConfigureAwait(false);
        try
        {
            if (commitsDone > asked) return;
            CheckWritable();
            var number = Interlocked.Increment(ref commitsBegun);
            await CommitLockedAsync().ConfigureAwait(false);
            commitsDone = number;
        }
        catch (Exception e)
        {
            // What a batch has taken that was not written is in no place of its own: nothing that comes after may be called durable.
            Interlocked.CompareExchange(ref flushFailure, e, null);
            throw;
        }
        finally
        {
            commitTurn.Exit();
        }
    }

    /// <summary>Does something while nothing is written, and nothing is flushed.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WithoutWritersAsync(Func<ValueTask> action)
    {
        await commitTurn.EnterAsync().ConfigureAwait(false);
        var entered = 0;
        try
        {
            for (; entered < locks.Length; entered++) await locks[entered].EnterAsync().ConfigureAwait(false);
            await action().ConfigureAwait(false);
        }
        finally
        {
            foreach (var stripe in locks.Take(entered)) stripe.Exit();
            commitTurn.Exit();
        }
    }

    /// <summary>Leaves nothing that would have to be replayed or looked at: for closing.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask SettleAsync()
    {
        CheckWritable();
        await FlushAllAsync().ConfigureAwait(false);
        await FlushMembersAsync().ConfigureAwait(false);
    }

    /// <summary>Stripes that hold something that is not durably in its place.</summary>
    public IEnumerable<long> UnsettledStripes => cache is null ? [] : [.. cache.LiveStripes, .. cache.Stripes];

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CommitLockedAsync()
    {
        if (cache is null)
        {
            await FlushWithIntentAsync().ConfigureAwait(false);
            return;
        }

        var dirty = cache.Stripes.Order().ToList();
        var done = 0;
        do
        {
            if (dirty.Count == 0 && !cache.HasLive)
            {
                await FlushWithIntentAsync().ConfigureAwait(false);
                return;
            }

            done += await CommitBatchAsync(dirty, done).ConfigureAwait(false);
        }
        while (done < dirty.Count);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FlushWithIntentAsync()
    {
        var flush = Intent?.FlushBegins() ?? 0;
        await FlushMembersAsync().ConfigureAwait(false);
        Intent?.FlushEnded(flush);
        if (Intent is { HasStale: true } intent) await intent.PersistAsync().ConfigureAwait(false);
    }

    // Gives how many of the stripes it took.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<int> CommitBatchAsync(List<long> dirty, int from)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)journal.Areas.JournalSlotBytes);
        try
        {
            var batch = lastBatch + 1;
            var (taken, at) = (from, JournalBatch.HeaderBytes);
            List<(CachedStripe Stripe, int At)> records = [];
            for (; taken < dirty.Count; taken++)
            {
                var bytes = await TakeDirtyAsync(dirty[taken], batch, buffer, at, records).ConfigureAwait(false);
                if (bytes < 0) break;
                at += bytes;
            }

            Invariant.Require(taken > from || dirty.Count == from);
            var tail = Math.Max(journal.LastSequence + 1, batch - 1);
            var header = new JournalBatch(
                journal.SetId, journal.Epoch, batch, tail, records.Count, at - JournalBatch.HeaderBytes);
            await WriteBatchAsync(batch, header.Seal(buffer)).ConfigureAwait(false);
            lastBatch = batch;
            cache!.Retire(batch - 2);
            foreach (var (stripe, place) in records) await PlaceAsync(stripe, buffer.AsMemory(place, at - place)).ConfigureAwait(false);
            return taken - from;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Puts what is dirty of a stripe into the buffer, with its new parity. 0 when nothing is, -1 when there is no room.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<int> TakeDirtyAsync(
        long stripe, long batch, byte[] buffer, int at, List<(CachedStripe Stripe, int At)> records)
    {
        var turn = LockOf(stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            if (cache!.Find(stripe) is not { DirtyBytes: > 0 } cached) return 0;
            if (cache.CostOf(cached) > journal.Areas.JournalSlotBytes - at) return -1;
            var runs = cached.DirtyRuns();
            var (first, end) = (runs.Min(run => run.OffsetBytes), runs.Max(run => run.EndBytes));
            using var columns = StripeColumns.Take(layout, stripe, first, end - first);
            // All parity, also that of a member that is not there: it may have been rebuilt up to here when this gets to its place.
            await CalculateParityAsync(columns, runs, columns.BitOfP | columns.BitOfQ).ConfigureAwait(false);
            var bytes = StripeRecord.Write(buffer.AsSpan(at), columns, runs, layout.ParityPerStripe);
            cache.Commit(cached, batch);
            records.Add((cached, at));
            // Said after the stripe counts as live: whoever notes that a member has failed marks all live ones.
            if (IsDegraded) Intent?.Miss(stripe);
            return bytes;
        }
        finally
        {
            turn.Exit();
        }
    }

    // To members in sync until enough of them have it: all that may still be lost, and one.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteBatchAsync(long batch, ReadOnlyMemory<byte> content)
    {
        var slot = journal.Areas.JournalSlotAt(batch);
        var written = 0UL;
        while (true)
        {
            CheckSurvival();
            var lost = members.Count(member => !member.IsUsable);
            var wanted = layout.ParityPerStripe + 1 - lost;
            var has = members.Count(member => member.IsUsable && (written >> member.Number & 1) != 0);
            if (has >= wanted) return;
            var calls = CallSet.Take();
            foreach (var member in members)
            {
                if (has >= wanted) break;
                if (!member.IsUsable || (written >> member.Number & 1) != 0) continue;
                written |= 1UL << member.Number;
                has++;
                calls.Add(TakeAsync(member, member.WriteAreaAsync(slot, content)));
            }

            await calls.WhenAllAsync().ConfigureAwait(false);
            if (Intent is { HasStale: true } intent) await intent.PersistAsync().ConfigureAwait(false);
            var flush = Intent?.FlushBegins() ?? 0;
            await FlushMembersAsync().ConfigureAwait(false);
            Intent?.FlushEnded(flush);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PlaceAsync(CachedStripe cached, ReadOnlyMemory<byte> content)
    {
        Invariant.Require(StripeRecord.TryRead(content, layout, chunkBytes, StripeCount, out var record));
        var turn = LockOf(record.Stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            await PlaceAsync(record.Stripe, record.Runs, record.ParityOffset, record.P, record.Q).ConfigureAwait(false);
            cache!.EndCommit(cached);
        }
        finally
        {
            turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteCachedAsync(long stripe, ChunkRanges ranges, ReadOnlyMemory<byte> source)
    {
        var turn = LockOf(stripe);
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            PutCached(ranges, source.Span);
        }
        finally
        {
            turn.Exit();
        }

        // Who writes more than a batch takes waits for it.
        if (cache!.DirtyBytes > journal.Areas.JournalSlotBytes) await CommitAsync().ConfigureAwait(false);
    }

    void PutCached(ChunkRanges ranges, ReadOnlySpan<byte> source)
    {
        foreach (var range in ranges)
            cache!.Put(range.Stripe, range.Index, range.OffsetBytes, source.Slice((int)range.At, range.LengthBytes));
    }
}

/// <summary>Where the batches of a set's journal go, and what they bear.</summary>
/// <param name="Areas">What lies where on a member.</param>
/// <param name="SetId">The set.</param>
/// <param name="Epoch">The generation in which the set was opened.</param>
/// <param name="LastSequence">The last batch before.</param>
readonly record struct JournalPlace(MemberAreas Areas, Guid SetId, long Epoch, long LastSequence);
