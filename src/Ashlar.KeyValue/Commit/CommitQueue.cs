using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using Ashlar.KeyValue.Errors;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// Gathers concurrent writers into groups and leads them, in order, through two stages: one group at a time writes to log and
/// memtable; the flushes of several may be under way. A lone writer does all of it itself, without a switch of threads.
/// </summary>
/// <remarks>
/// A group is published and acknowledged when it and all before it are as durable as their members asked for. While as many
/// flushes are under way as may be, the next group stays open and grows.
/// </remarks>
sealed class CommitQueue : IDisposable
{
    /// <summary>A writer that leads others' groups without a flush goes back to its own work after so many.</summary>
    const int MaxGroupsInARow = 16;

    /// <summary>Nobody is waited for where a flush costs next to nothing.</summary>
    static readonly TimeSpan ShortestFlush = TimeSpan.FromMicroseconds(5);

    /// <summary>Who was just woken is there by then; it is spent awake, so it is no more where flushes are slow.</summary>
    static readonly TimeSpan LongestGathering = TimeSpan.FromMicroseconds(50);

    [ThreadStatic]
    static PendingWrite? ownWrite;

    readonly Committer committer;
    readonly InFlightSyncs inFlight;
    readonly Lock gate;
    readonly CommitDriver driver;
    readonly ConcurrentQueue<AsyncWrite> asyncPool = new();
    readonly WaitWord idle = new();
    readonly Action<AsyncWrite> recycleAsync;
    readonly Action<CommitGroup> recycleGroup;

    // All guarded by the gate.
    readonly Stack<CommitGroup> groupPool = new();
    readonly Queue<CommitGroup> forming = new();
    readonly Queue<CommitGroup> unpublished = new(); // Written, in the order of the log.
    readonly Queue<CommitGroup> waitingToSync = new(); // Without entries: they only wait for a flush.
    CommitGroup? last; // The one of those that form that may be joined.
    int membersInFlight; // Members of groups that wait for a flush under way.
    int writers; // How many waited at the same time lately, slowly forgotten.
    TimeSpan flushTime; // Smoothed.
    bool isWriting;
    bool isClosed;
    InvariantException? brokenBy;

    public CommitQueue(Committer committer, InFlightSyncs inFlight, string name)
    {
        this.committer = committer;
        this.inFlight = inFlight;
        gate = inFlight.Gate;
        driver = new CommitDriver(this, name);
        recycleAsync = asyncPool.Enqueue;
        recycleGroup = group =>
        {
            using (gate.Hold()) groupPool.Push(group);
        };
    }

    /// <summary>Commits and returns when the request is done; throws what went wrong.</summary>
    public void Run(CommitRequest request, WriteBatch? batch, Durability durability, WriteCheck? check = null)
    {
        var write = ownWrite ?? new PendingWrite();
        ownWrite = null;
        write.Prepare(request, batch, durability, check);
        CommitGroup group;
        CommitGroup? ready;
        var gathers = false;
        var callsDriver = false;
        using (gate.Hold())
        {
            group = Join(write);
            ready = TakeNext(isPatient: true);
            if (ready is null && IsUnattended(out var next))
            {
                if (next == group) gathers = group.IsGathered = true;
                else callsDriver = driver.IsBusy = true;
            }
        }

        if (callsDriver) driver.Wake();
        if (gathers) ready = Gather(group);
        if (ready is not null) Lead(ready, group);
        group.WaitUntilDone();
        var error = write.Refusal ?? group.Error;
        write.Forget(); // Before it leaves: it may be in use again before the group is.
        group.Leave();
        ownWrite = write;
        if (error is not null) ExceptionDispatchInfo.Throw(error);
    }

    /// <summary>
    /// A write with a batch of its own, to be filled and given to
    /// <see cref="RunAsync"/>.
    /// </summary>
    public AsyncWrite RentAsync() => asyncPool.TryDequeue(out var write) ? write : new AsyncWrite(recycleAsync);

    /// <summary>Queues a write; the task completes when it is done. The caller never waits for the disk.</summary>
    public ValueTask RunAsync(
        AsyncWrite write, WriteBatch? batch, Durability durability, CancellationToken cancellationToken, WriteCheck? check = null) =>
        SubmitAsync(write, CommitRequest.Write, batch, durability, check, cancellationToken);

    ValueTask SubmitAsync(
        AsyncWrite write, CommitRequest request, WriteBatch? batch, Durability durability, WriteCheck? check,
        CancellationToken cancellationToken)
    {
        write.Prepare(request, batch, durability, check);
        var task = write.Start(cancellationToken.CanBeCanceled);
        bool callsDriver;
        using (gate.Hold())
        {
            Join(write);
            callsDriver = MustCallDriver();
        }

        if (cancellationToken.CanBeCanceled) write.Watch(cancellationToken);
        if (callsDriver) driver.Wake();
        return task;
    }

    /// <summary>Queues a request that writes nothing; the task completes when it is done. The caller never waits.</summary>
    public ValueTask RequestAsync(CommitRequest request) => SubmitAsync(RentAsync(), request, null, Durability.Unflushed, null, default);

    /// <summary>
    /// Refuses whoever comes, waits until those who came before have been led, and ends the thread that leads asynchronous groups.
    /// </summary>
    public void Dispose()
    {
        using (gate.Hold())
        {
            isClosed = true;
            SignalIfIdle();
        }

        idle.WaitWhile(0);
        driver.Dispose();
    }

    /// <summary>
    /// Takes a group, whose turn it is, through both stages; and through the first those after it, as long as nobody flushes.
    /// </summary>
    /// <param name="group">The group; it may have been reused when this returns.</param>
    /// <param name="own">The group that the calling thread is a member of, if it is.</param>
    public void Lead(CommitGroup group, CommitGroup? own)
    {
        for (var count = 1; ; count++)
        {
            Exception? error = null;
            try
            {
                group.LastSequence = committer.Write(group);
            }
            catch (Exception exception)
            {
                error = exception;
            }

            CommitGroup? next = null;
            var sync = 0L;
            var finished = new FinishedGroups();
            bool callsDriver;
            InvariantException? bug;
            using (gate.Hold())
            {
                if (group.Request == CommitRequest.Close) isClosed = true;
                if (error is null && inFlight.Failure is not null) error = committer.Refusal;
                if (error is not null) finished.Add(group, error);
                else sync = TryAwait(group, ref finished);
                isWriting = false;
                if (sync == 0 && count < MaxGroupsInARow) next = TakeNext(isPatient: false);
                callsDriver = next is null && MustCallDriver();
                bug = brokenBy;
            }

            if (bug is not null) committer.Refuse(bug);
            if (callsDriver) driver.Wake();
            finished.Wake(own);
            Invariant.Require(finished.IsEmpty); // Whoever is forgotten here sleeps for ever.
            if (sync != 0) RunSync(sync, own);
            if (next is null) return;
            group = next;
        }
    }

    /// <summary>The group that the driver, who is awake, is to lead; null if it is free to sleep.</summary>
    public CommitGroup? NextForDriver()
    {
        using (gate.Hold())
        {
            var next = TakeNext(isPatient: false);
            driver.IsBusy = next is not null;
            if (next is null) SignalIfIdle();
            return next;
        }
    }

    long TryAwait(CommitGroup group, ref FinishedGroups finished)
    {
        try
        {
            return Await(group, ref finished);
        }
        catch (InvariantException bug)
        {
            // It waits for nothing yet: no flush has begun for it.
            Break(bug);
            finished.Add(group, committer.Refusal);
            CompleteReady(ref finished);
            return 0;
        }
    }

    // Decides what a written group waits for: 0, or the flush that its leader has to carry out.
    long Await(CommitGroup group, ref FinishedGroups finished)
    {
        var sync = 0L;
        if (group.NeedsSync && committer.HasUnsynced)
        {
            var end = committer.End;
            if (inFlight.LastCovers == end && inFlight.Last > inFlight.Counted)
            {
                group.AwaitedSync = inFlight.Last; // Sync was called, and what there is to flush is on its way.
            }
            else
            {
                sync = group.AwaitedSync = inFlight.Begin(end);
            }
        }

        if (group.AwaitedSync != 0) membersInFlight += group.Members.Count;
        if (group.LengthBytes == 0 && group.AwaitedSync != 0)
        {
            waitingToSync.Enqueue(group);
        }
        else
        {
            unpublished.Enqueue(group);
            CompleteReady(ref finished);
        }

        return sync;
    }

    void RunSync(long sync, CommitGroup? own)
    {
        var error = committer.Flush(inFlight.HandleOf(sync), out var took);
        var finished = new FinishedGroups();
        bool callsDriver;
        InvariantException? bug;
        using (gate.Hold())
        {
            if (error is null) committer.Counters.Syncs.Add(took);
            if (inFlight.End(sync, error, out var durable)) Advance(durable);
            flushTime = ((7 * flushTime) + took) / 8;
            CompleteReady(ref finished);
            callsDriver = MustCallDriver();
            bug = brokenBy;
        }

        if (bug is not null) committer.Refuse(bug);
        if (callsDriver) driver.Wake();
        finished.Wake(own);
        Invariant.Require(finished.IsEmpty);
    }

    void Advance(LogPosition durable)
    {
        try
        {
            committer.Advance(durable);
        }
        catch (InvariantException bug)
        {
            Break(bug);
        }
    }

    // What is believed of the store is wrong: nobody is told any more that it went well, and nobody is left waiting. The rest of the store
    // learns of it without the gate (Committer.Refuse).
    void Break(InvariantException bug)
    {
        brokenBy ??= bug;
        committer.Doubt(bug);
        inFlight.Fail(bug);
    }

    void CompleteReady(ref FinishedGroups finished)
    {
        try
        {
            if (brokenBy is null) PublishReady(ref finished);
        }
        catch (InvariantException bug)
        {
            Break(bug);
        }

        if (inFlight.Failure is null) return;
        foreach (var group in unpublished) Finish(group, committer.Refusal, ref finished);
        foreach (var group in waitingToSync) Finish(group, committer.Refusal, ref finished);
        unpublished.Clear();
        waitingToSync.Clear();
    }

    // Publishes and acknowledges, in order, what waits for nothing any more.
    void PublishReady(ref FinishedGroups finished)
    {
        var counted = inFlight.Counted;
        while (unpublished.TryPeek(out var group) && group.AwaitedSync <= counted)
        {
            committer.Publish(group.LastSequence);
            Finish(unpublished.Dequeue(), null, ref finished);
        }

        while (waitingToSync.TryPeek(out var group) && group.AwaitedSync <= counted) Finish(waitingToSync.Dequeue(), null, ref finished);
    }

    void Finish(CommitGroup group, Exception? error, ref FinishedGroups finished)
    {
        if (group.AwaitedSync != 0) membersInFlight -= group.Members.Count;
        finished.Add(group, error);
    }

    CommitGroup Join(PendingWrite write)
    {
        ClosedStore.ThrowIf(isClosed);
        if (last is null || !last.Accepts(write))
        {
            if (!groupPool.TryPop(out last)) last = new CommitGroup(recycleGroup);
            forming.Enqueue(last);
        }

        last.Join(write);
        return last;
    }

    // The group that may go on to write now; the caller leads it. Whoever asks is awake: no group waits for a sleeping member of its
    // own to lead it.
    CommitGroup? TakeNext(bool isPatient)
    {
        if (isWriting) return null;
        if (!forming.TryPeek(out var group))
        {
            SignalIfIdle();
            return null;
        }

        if (!MayStart(group, isPatient)) return null;
        if (group.NeedsSync)
        {
            var present = membersInFlight + group.Members.Count;
            writers = Math.Max(present, writers - ((writers - present + 7) / 8));
        }

        forming.Dequeue();
        if (last == group) last = null;
        isWriting = true;
        group.Take();
        return group;
    }

    // A flush costs the same for one writer as for all. So a group waits a moment for the writers who were there lately, and are
    // about to come again when their last flush has just ended; and beside a flush that is under way, another begins only for
    // half of them.
    bool MayStart(CommitGroup group, bool isPatient)
    {
        if (!group.NeedsSync || inFlight.Failure is not null) return true;
        if (!inFlight.HasRoom) return false;
        if (inFlight.UnderWay > 0) return group.Members.Count >= writers / 2;
        return !isPatient || group.Members.Count >= writers || flushTime < ShortestFlush;
    }

    // Whether a group could start, and nobody who is awake will come to look: a leader at the end of its write, whoever ends a flush,
    // whoever gathers, the driver.
    bool IsUnattended([NotNullWhen(true)] out CommitGroup? group) =>
        forming.TryPeek(out group) && !isWriting && !driver.IsBusy && !group.IsGathered && MayStart(group, isPatient: false);

    bool MustCallDriver()
    {
        if (!IsUnattended(out _))
        {
            SignalIfIdle();
            return false;
        }

        return driver.IsBusy = true;
    }

    // Lets others run, and join, for a part of what a flush takes. If they complete the group, the last of them leads it.
    CommitGroup? Gather(CommitGroup group)
    {
        var clock = committer.Clock;
        var begun = clock.GetTimestamp();
        var longest = flushTime / 2 < LongestGathering ? flushTime / 2 : LongestGathering;
        while (group.IsForming && clock.GetElapsedTime(begun) < longest) Thread.Yield();
        using (gate.Hold())
        {
            group.IsGathered = false;
            return TakeNext(isPatient: false);
        }
    }

    void SignalIfIdle()
    {
        if (!isClosed || isWriting || driver.IsBusy || forming.Count > 0) return;
        idle.Value = 1;
        idle.WakeAll();
    }
}
