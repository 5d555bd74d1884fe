using System.Runtime.ExceptionServices;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// The store's work in the background, as its writers see it: signals that there is some, holds them back when it falls behind, and
/// finds room for what they write.
/// </summary>
sealed class BackgroundWorker : IBackground, IDisposable
{
    readonly Compactor compactor;
    readonly KeyValueOptions options;
    readonly SpaceReserve space;
    readonly BackgroundLanes lanes;
    readonly WriteThrottle throttle;
    readonly LogReservation reservation;
    readonly SegmentEnd segmentEnd;
    readonly EarlyFlush earlyFlush;
    readonly ExpiryWatch expiryWatch;
    readonly CompactionRequests requests = new();

    /// <summary>Prepares the work; none is done before <see cref="Start"/>.</summary>
    /// <param name="engine">The store.</param>
    /// <param name="compactor">Does the work.</param>
    /// <param name="throttle">Told how far behind it is.</param>
    /// <param name="space">Told when the disk is full.</param>
    /// <param name="beginFlush">Has the memtable that is being written become a table, without waiting for that.</param>
    public BackgroundWorker(
        EngineContext engine, Compactor compactor, WriteThrottle throttle, SpaceReserve space, Action beginFlush)
    {
        this.compactor = compactor;
        (this.throttle, this.space) = (throttle, space);
        options = engine.Options;
        segmentEnd = new SegmentEnd(engine.State);
        lanes = new BackgroundLanes(FlushOnce, MergeOnce, FollowTables, engine, space);
        reservation = new LogReservation(lanes, space);
        earlyFlush = new EarlyFlush(engine, beginFlush);
        expiryWatch = new ExpiryWatch(engine, lanes.SignalMerges);
        engine.State.EntriesReleased = lanes.SignalMerges;
        compactor.MeasureDebt();
    }

    /// <summary>
    /// Begins to work. Opening may not fail after this: threads that nobody knows of would go on to change the store's files.
    /// </summary>
    public void Start()
    {
        earlyFlush.Start();
        expiryWatch.Follow();
        lanes.Start();
    }

    /// <inheritdoc cref="BackgroundLanes.Failure" />
    public Exception? Failure => lanes.Failure;

    /// <summary>There may be work: a memtable waits.</summary>
    public void Signal()
    {
        compactor.MeasureDebt();
        lanes.Signal();
    }

    /// <inheritdoc cref="EarlyFlush.Arm" />
    public void WatchRanges() => earlyFlush.Arm();

    /// <summary>Lets waiters look again: the store was poisoned.</summary>
    public void Wake() => lanes.Wake();

    /// <summary>
    /// Whether a memtable is to become a table: it is full, or its log is, which is what recovery has to read. On a full disk that is
    /// earlier.
    /// </summary>
    public bool IsFull(MemTable active, long logBytes) =>
        active.UsedBytes >= options.MemTableBytes
        || active.RangeCount >= CompactionPicker.ManyRanges
        || segmentEnd.IsDue(active, compactor.SegmentBytes)
        || (!active.IsEmpty && (logBytes >= options.LogSegmentBytes || (space.IsLow && space.IsFull(active, logBytes))));

    /// <inheritdoc cref="LogReservation.Reserve" />
    public void ReserveLog(LogWriter log, MemTable active, long bodyLength, SpaceClaim claim) =>
        reservation.Reserve(log, active, bodyLength, claim);

    /// <inheritdoc cref="WriteThrottle.WaitForRoom" />
    public void WaitForRoom(long bytes, MemTable active, bool needsMemTable) =>
        throttle.WaitForRoom(lanes, bytes, active, needsMemTable);

    /// <summary>Waits until no memtable that waits to be written holds anything up to a sequence; there may always be others.</summary>
    public void WaitForFlush(ulong sequence) => lanes.WaitFor(() => compactor.IsWaiting(sequence) ? lanes.Flushes : null);

    /// <summary>Merges all tables and waits until that is done.</summary>
    public void CompactAll()
    {
        var request = requests.Add();
        try
        {
            lanes.WaitFor(() => request.IsDone ? null : lanes.Merges);
        }
        finally
        {
            requests.Remove(request);
        }

        if (request.Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <inheritdoc cref="BackgroundLanes.Dispose" />
    public void Dispose()
    {
        earlyFlush.Dispose();
        lanes.Dispose();
        expiryWatch.Dispose(); // Work that ends follows it.
    }

    void FollowTables()
    {
        compactor.MeasureDebt();
        expiryWatch.Follow();
    }

    bool FlushOnce() => compactor.FlushOldest(lanes.MayMerge);

    bool MergeOnce()
    {
        var wanted = requests.Take();
        if (wanted.Length == 0) return compactor.Compact(Pause);
        try
        {
            compactor.CompactAll(Pause);
        }
        catch (Exception failure) when (failure is not StorageException { Kind: StorageErrorKind.NoSpace })
        {
            // Spent: what failed now would fail each time, and no other merge would ever be done. On a full disk whoever waits decides.
            foreach (var request in wanted) request.Finish(failure);
            throw;
        }

        foreach (var request in wanted) request.Finish(null);
        return true;
    }

    void Pause()
    {
        lanes.ThrowIfStopping();
        if (lanes.HasThreadEach || space.IsLow) return;
        while (compactor.FlushOldest(mayMerge: true))
        {
            compactor.MeasureDebt();
            lanes.Wake();
        }
    }
}
