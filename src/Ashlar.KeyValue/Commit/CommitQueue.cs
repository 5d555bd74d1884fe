using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

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
    [ThreadStatic]
    static PendingWrite? ownWrite;

    readonly Committer committer;
    readonly Flights flights;
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
    bool isWriting;
    bool isClosed;

    public CommitQueue(Committer committer, Flights flights, string name)
    {
        this.committer = committer;
        this.flights = flights;
        gate = flights.Gate;
        driver = new CommitDriver(this, name);
        recycleAsync = asyncPool.Enqueue;
        recycleGroup = group =>
        {
            lock (gate) groupPool.Push(group);
        };
    }

    /// <summary>Commits and returns when the request is done; throws what went wrong.</summary>
    public void Run(CommitRequest request, WriteBatch? batch, Durability durability)
    {
        var write = ownWrite ?? new PendingWrite();
        ownWrite = null;
        write.Prepare(request, batch, durability);
        CommitGroup group;
        CommitGroup? next;
        bool byDriver;
        lock (gate)
        {
            group = Join(write);
            next = StartNext(out byDriver);
        }

        var leads = group.Leader == write;
        if (next is not null && !(leads && next == group)) WakeLeader(next, byDriver);
        if (leads)
        {
            group.WaitForTurn();
            Lead(group);
        }

        group.WaitUntilDone();
        var error = group.Error;
        write.Forget(); // Before it leaves: it may be in use again before the group is.
        group.Leave();
        ownWrite = write;
        if (error is not null) ExceptionDispatchInfo.Throw(error);
    }

    /// <summary>A write with a batch of its own, to be filled and given to <see cref="RunAsync(AsyncWrite, WriteBatch?, Durability, CancellationToken)"/>.</summary>
    public AsyncWrite RentAsync() => asyncPool.TryDequeue(out var write) ? write : new AsyncWrite(recycleAsync);

    /// <summary>Queues a write; the task completes when it is done. The caller never waits for the disk.</summary>
    public ValueTask RunAsync(AsyncWrite write, WriteBatch? batch, Durability durability, CancellationToken cancellationToken)
    {
        write.Prepare(CommitRequest.Write, batch, durability);
        var task = write.Start(cancellationToken.CanBeCanceled);
        CommitGroup? next;
        bool byDriver;
        lock (gate)
        {
            Join(write);
            next = StartNext(out byDriver);
        }

        if (cancellationToken.CanBeCanceled) write.Watch(cancellationToken);
        WakeLeader(next, byDriver);
        return task;
    }

    /// <summary>
    /// Refuses whoever comes, waits until those who came before have been led, and ends the thread that leads asynchronous groups.
    /// </summary>
    public void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            SignalIfIdle();
        }

        idle.WaitWhile(0);
        driver.Dispose();
    }

    /// <summary>Takes a group, whose turn it is, through both stages.</summary>
    public void Lead(CommitGroup group)
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

        CommitGroup? next;
        bool byDriver;
        var flight = 0L;
        var finished = new FinishedGroups();
        lock (gate)
        {
            if (group.Request == CommitRequest.Close) isClosed = true;
            if (error is null && flights.Failure is not null) error = committer.Refusal;
            if (error is not null) finished.Add(group, error);
            else flight = Await(group, ref finished);
            isWriting = false;
            next = StartNext(out byDriver);
        }

        WakeLeader(next, byDriver);
        finished.Wake(group);
        if (flight != 0) Fly(flight, group);
    }

    /// <summary>The driver is free again; the group whose turn it is, if it is to lead it.</summary>
    public CommitGroup? NextForDriver()
    {
        CommitGroup? next;
        bool byDriver;
        lock (gate)
        {
            driver.IsBusy = false;
            next = StartNext(out byDriver);
        }

        if (byDriver) return next;
        next?.WakeLeader();
        return null;
    }

    // Decides what a written group waits for: 0, or the flush that its leader has to carry out.
    long Await(CommitGroup group, ref FinishedGroups finished)
    {
        var flight = 0L;
        if (group.NeedsSync && committer.HasUnsynced)
        {
            var end = committer.End;
            if (flights.LastCovers == end && flights.Last > flights.Counted)
            {
                group.Flight = flights.Last; // Sync was called, and what there is to flush is on its way.
            }
            else
            {
                flight = group.Flight = flights.Begin(end);
            }
        }

        if (group.LengthBytes == 0 && group.Flight != 0)
        {
            waitingToSync.Enqueue(group);
        }
        else
        {
            unpublished.Enqueue(group);
            Settle(ref finished);
        }

        return flight;
    }

    void Fly(long flight, CommitGroup group)
    {
        var error = committer.Flush(flights.HandleOf(flight), out var took);
        var finished = new FinishedGroups();
        CommitGroup? next;
        bool byDriver;
        lock (gate)
        {
            if (error is null) committer.Counters.Syncs.Add(took);
            if (flights.End(flight, error, out var durable)) committer.Advance(durable);
            Settle(ref finished);
            next = StartNext(out byDriver);
        }

        // The next leader first: it can go to the disk while the others wake up.
        WakeLeader(next, byDriver);
        finished.Wake(group);
    }

    // Publishes and acknowledges, in order, what waits for nothing any more.
    void Settle(ref FinishedGroups finished)
    {
        var counted = flights.Counted;
        while (unpublished.TryPeek(out var group) && group.Flight <= counted)
        {
            unpublished.Dequeue();
            committer.Publish(group.LastSequence);
            finished.Add(group, null);
        }

        while (waitingToSync.TryPeek(out var group) && group.Flight <= counted) finished.Add(waitingToSync.Dequeue(), null);
        if (flights.Failure is null) return;
        foreach (var group in unpublished) finished.Add(group, committer.Refusal);
        foreach (var group in waitingToSync) finished.Add(group, committer.Refusal);
        unpublished.Clear();
        waitingToSync.Clear();
    }

    CommitGroup Join(PendingWrite write)
    {
        ObjectDisposedException.ThrowIf(isClosed, typeof(KeyValueStore));
        if (last is null || !last.Accepts(write))
        {
            if (!groupPool.TryPop(out last)) last = new CommitGroup(recycleGroup);
            forming.Enqueue(last);
        }

        last.Join(write);
        return last;
    }

    // The group that may go on to write now. Its leader must be woken, outside of the gate: by then a leader that was awake may have
    // led it, and the group may be another; so who leads is decided here.
    CommitGroup? StartNext(out bool byDriver)
    {
        byDriver = false;
        if (isWriting) return null;
        if (!forming.TryPeek(out var group))
        {
            SignalIfIdle();
            return null;
        }

        if (group.NeedsSync && !flights.HasRoom && flights.Failure is null) return null;
        if (group.Leader is null)
        {
            if (driver.IsBusy) return null;
            driver.IsBusy = true;
            group.Hold();
            byDriver = true;
        }

        forming.Dequeue();
        if (last == group) last = null;
        isWriting = true;
        group.Take();
        group.GiveTurn();
        return group;
    }

    void SignalIfIdle()
    {
        if (!isClosed || isWriting || driver.IsBusy || forming.Count > 0) return;
        idle.Value = 1;
        idle.WakeAll();
    }

    void WakeLeader(CommitGroup? group, bool byDriver)
    {
        if (byDriver) driver.Lead(group!);
        else group?.WakeLeader(); // Does no harm to a group that was led meanwhile.
    }
}
