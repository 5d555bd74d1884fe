using System.Runtime.ExceptionServices;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Writes memtables to tables and merges tables, and holds writers back when it falls behind (see <see cref="Backpressure"/>).
/// </summary>
/// <remarks>
/// Memtables have a thread of their own, so that none ever waits for a long merge; with one thread a merge pauses for them. Tests
/// that need one order of events have both done on the writing thread.
/// </remarks>
sealed class BackgroundWorker : IDisposable
{
    readonly object gate = new();
    readonly Lock inlineGate = new();
    readonly Compactor compactor;
    readonly PoisonLatch poison;
    readonly KeyValueOptions options;
    readonly Backpressure pressure;
    readonly SpaceReserve space;
    readonly BackgroundLane flushes;
    readonly BackgroundLane merges;
    readonly Thread[] threads = [];
    bool isStopping;
    long requestedCompactions;
    long doneCompactions;

    public BackgroundWorker(
        Compactor compactor, Backpressure pressure, SpaceReserve space, PoisonLatch poison, KeyValueOptions options, string name)
    {
        this.pressure = pressure;
        this.space = space;
        this.compactor = compactor;
        this.poison = poison;
        this.options = options;
        merges = new BackgroundLane(MergeOnce);
        flushes = new BackgroundLane(FlushOnce);
        compactor.MeasureDebt();
        if (options.BackgroundInline || options.ReadOnly) return;
        threads = options.BackgroundThreads == 1
            ? [new Thread(() => Run(flushes, merges)) { Name = $"background {name}" }]
            : [new Thread(() => Run(flushes)) { Name = $"flush {name}" }, new Thread(() => Run(merges)) { Name = $"merge {name}" }];
        foreach (var thread in threads)
        {
            thread.IsBackground = true;
            thread.Start();
        }
    }

    /// <summary>What stopped the last attempt; null if it succeeded.</summary>
    public Exception? Failure
    {
        get
        {
            lock (gate) return flushes.Failure ?? merges.Failure;
        }
    }

    bool HasThreadPerLane => threads.Length > 1;

    /// <summary>There may be work: a memtable waits.</summary>
    public void Signal()
    {
        space.Prepare(isFull: true);
        compactor.MeasureDebt();
        lock (gate)
        {
            flushes.Retry();
            merges.Retry();
            Monitor.PulseAll(gate);
        }

        if (options.BackgroundInline) WorkInline();
    }

    /// <summary>Lets waiters look again: the store was poisoned.</summary>
    public void Wake()
    {
        lock (gate) Monitor.PulseAll(gate);
    }

    /// <summary>
    /// Whether a memtable is to become a table: it is full, or its log is, which is what recovery has to read. On a full disk that is
    /// earlier.
    /// </summary>
    public bool IsFull(MemTable active, long logBytes) =>
        active.UsedBytes >= options.MemTableBytes
        || (!active.IsEmpty && (logBytes >= options.LogSegmentBytes || (space.IsLow && space.IsFull(active, logBytes))));

    /// <summary>Reserves space in the log; deletes may use what is kept for a full disk.</summary>
    /// <param name="log">The log.</param>
    /// <param name="bodyLength">Bytes of the batches of the group.</param>
    /// <param name="hasDeletes">Whether a batch of the group only deletes: puts that joined it before they knew come along.</param>
    /// <exception cref="StorageException">The disk is full; nothing is in doubt.</exception>
    public void ReserveLog(LogWriter log, long bodyLength, bool hasDeletes)
    {
        const int Attempts = 4;
        space.Prepare(isFull: false);
        if (!space.IsLow)
        {
            try
            {
                log.Reserve(bodyLength, options.LogChunkBytes);
                return;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
            {
                space.DeclareFull();
                if (!hasDeletes) throw;
            }
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                space.ReserveLog(log, bodyLength);
                return;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && attempt < Attempts)
            {
                WaitUntilIdle(); // What is under way may give some back.
            }
        }
    }

    void WaitUntilIdle()
    {
        if (options.BackgroundInline) return;
        lock (gate)
        {
            flushes.Retry();
            merges.Retry();
            Monitor.PulseAll(gate);
            while (!isStopping && (flushes.HasWork || flushes.IsWorking || merges.HasWork || merges.IsWorking)) Monitor.Wait(gate);
        }
    }

    /// <summary>
    /// Holds a writer back in proportion to what waits to be written or merged, and while there is no room at all.
    /// </summary>
    /// <param name="bytes">What it is about to write.</param>
    /// <param name="active">The memtable that is being written.</param>
    /// <param name="needsMemTable">Whether it needs a new one.</param>
    /// <exception cref="StorageException">The background cannot make room: the disk is full.</exception>
    public void WaitForRoom(long bytes, MemTable active, bool needsMemTable)
    {
        if (options.BackgroundInline)
        {
            if (WhatBlocks(needsMemTable) is not null) RetryInline();
            return;
        }

        if (pressure.Owe(bytes, active.UsedBytes) is var wait && wait > TimeSpan.Zero) SlowDown(wait, active);
        if (WhatBlocks(needsMemTable) is not null) Stop(needsMemTable);
    }

    /// <summary>Waits until no memtable waits to be written.</summary>
    public void WaitForFlush()
    {
        if (options.BackgroundInline)
        {
            if (pressure.Debt.MemTables > 0) RetryInline();
            return;
        }

        lock (gate)
        {
            // An attempt may have failed before anybody waited for it; without another one nothing would ever wake us.
            var wait = new BackgroundWait(flushes);
            flushes.Retry();
            Monitor.PulseAll(gate);
            while (pressure.Debt.MemTables > 0) WaitForAttempt(flushes, ref wait);
        }
    }

    /// <summary>Merges all tables and waits until that is done.</summary>
    public void CompactAll()
    {
        if (options.BackgroundInline)
        {
            requestedCompactions++;
            RetryInline();
            return;
        }

        lock (gate)
        {
            var wanted = ++requestedCompactions;
            var wait = new BackgroundWait(merges);
            merges.Retry();
            Monitor.PulseAll(gate);
            while (doneCompactions < wanted) WaitForAttempt(merges, ref wait);
        }
    }

    /// <summary>Stops between two entries of a merge; what was begun is an orphan.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isStopping = true;
            Monitor.PulseAll(gate);
        }

        foreach (var thread in threads) thread.Join();
    }

    void SlowDown(TimeSpan wait, MemTable active)
    {
        var begun = options.TimeProvider.GetTimestamp();
        while (wait > TimeSpan.Zero)
        {
            lock (gate)
            {
                // What cannot go on will not catch up either; whoever comes to the stop is told why.
                if (isStopping || poison.IsSet || flushes.Failure is not null || merges.Failure is not null) break;
                Monitor.Wait(gate, (int)Math.Ceiling(wait.TotalMilliseconds));
            }

            wait = pressure.Owe(0, active.UsedBytes);
        }

        pressure.CountSlowDown(options.TimeProvider.GetElapsedTime(begun));
    }

    void Stop(bool needsMemTable)
    {
        var begun = options.TimeProvider.GetTimestamp();
        lock (gate)
        {
            // One more attempt, then its failure is the writer's.
            BackgroundLane? waitsFor = null;
            var wait = default(BackgroundWait);
            while (WhatBlocks(needsMemTable) is { } lane)
            {
                if (lane != waitsFor)
                {
                    (waitsFor, wait) = (lane, new BackgroundWait(lane));
                    lane.Retry();
                    Monitor.PulseAll(gate);
                }

                WaitForAttempt(lane, ref wait);
            }
        }

        pressure.CountStall(options.TimeProvider.GetElapsedTime(begun));
    }

    void WaitForAttempt(BackgroundLane lane, ref BackgroundWait wait)
    {
        poison.ThrowIfSet();
        ObjectDisposedException.ThrowIf(isStopping, typeof(KeyValueStore));
        if (lane.Failure is not null && lane.Attempts > wait.SeenAttempts)
        {
            if (!IsDiskFull(lane.Failure)) ExceptionDispatchInfo.Throw(lane.Failure);
            // On a full disk the other kind of work may hold the space now, and give it back, or go on with what this one gave back.
            var other = lane == flushes ? merges : flushes;
            if (!other.HasWork && !other.IsWorking)
            {
                if (!wait.MayRetry(flushes.Done + merges.Done)) ExceptionDispatchInfo.Throw(lane.Failure);
                if (wait.IsFirstRetry && IsDiskFull(other.Failure))
                {
                    other.Retry();
                }
                else
                {
                    wait.SeenAttempts = lane.Attempts;
                    lane.Retry();
                }

                Monitor.PulseAll(gate);
            }
        }

        Monitor.Wait(gate);
    }

    static bool IsDiskFull(Exception? cause) => cause is StorageException { Kind: StorageErrorKind.NoSpace };

    /// <summary>The work that a writer has to wait for; null if it may go on.</summary>
    BackgroundLane? WhatBlocks(bool needsMemTable)
    {
        var debt = pressure.Debt;
        if (needsMemTable && debt.MemTables >= WriteDebt.MostMemTables) return flushes;
        return debt.LevelZero >= 1 ? merges : null;
    }

    void Run(params ReadOnlySpan<BackgroundLane> lanes)
    {
        while (true)
        {
            lock (gate)
            {
                while (!isStopping && !AnyHasWork(lanes)) Monitor.Wait(gate);
                if (isStopping) return;
            }

            foreach (var lane in lanes) Work(lane);
        }
    }

    static bool AnyHasWork(ReadOnlySpan<BackgroundLane> lanes)
    {
        foreach (var lane in lanes)
        {
            if (lane.HasWork) return true;
        }

        return false;
    }

    void WorkInline()
    {
        lock (inlineGate)
        {
            Work(flushes);
            Work(merges);
            if (!IsDiskFull(flushes.Failure)) return;
            flushes.Retry();
            Work(flushes);
            Work(merges);
        }
    }

    void RetryInline()
    {
        lock (gate)
        {
            flushes.Retry();
            merges.Retry();
        }

        WorkInline();
        poison.ThrowIfSet();
        if (Failure is { } cause) ExceptionDispatchInfo.Throw(cause);
    }

    void Work(BackgroundLane lane)
    {
        // Cleared before looking: work that arrives meanwhile sets it again.
        lock (gate)
        {
            if (!lane.HasWork) return;
            lane.HasWork = false;
            lane.IsWorking = true;
        }

        var isAgain = false;
        var wasLow = false;
        try
        {
            do wasLow = space.IsLow;
            while (!poison.IsSet && !Volatile.Read(ref isStopping) && Attempt(lane));
        }
        catch (StoppedException)
        {
        }
        catch (InDoubtException doubt)
        {
            poison.Set(doubt.Cause);
            Attempted(lane, doubt.Cause);
        }
        catch (Exception cause)
        {
            // Nothing is in doubt: the manifest names neither outputs nor a changed set of inputs. Tried again with
            // the next signal, and at once if it did not know yet that the disk is full.
            if (IsDiskFull(cause) && (space.DeclareFull() || (!wasLow && space.IsLow))) isAgain = true;
            else Attempted(lane, cause);
        }

        lock (gate)
        {
            lane.IsWorking = false;
            lane.HasWork |= isAgain;
            Monitor.PulseAll(gate);
        }

        if (isAgain) Work(lane);
    }

    bool Attempt(BackgroundLane lane)
    {
        if (!lane.WorkOnce()) return false;
        Attempted(lane, null);
        return true;
    }

    void Attempted(BackgroundLane lane, Exception? cause)
    {
        compactor.MeasureDebt();
        lock (gate)
        {
            lane.Attempts++;
            lane.Failure = cause;
            if (cause is null) lane.Done++;
            // A new table in level 0 may be one too many; and a merge may have made the room that a flush had not.
            if (lane == flushes && cause is null) merges.HasWork = true;
            if (lane == merges && cause is null && IsDiskFull(flushes.Failure)) flushes.Retry();
            Monitor.PulseAll(gate);
        }
    }

    bool FlushOnce()
    {
        bool mayMerge;
        lock (gate) mayMerge = merges.IsWorking || (merges.HasWork && merges.Failure is null);
        return compactor.FlushOldest(mayMerge);
    }

    bool MergeOnce()
    {
        long wanted;
        lock (gate) wanted = requestedCompactions;
        if (wanted > doneCompactions)
        {
            compactor.CompactAll(Pause);
            lock (gate) doneCompactions = wanted;
            return true;
        }

        return compactor.Compact(Pause);
    }

    void Pause()
    {
        if (Volatile.Read(ref isStopping)) throw new StoppedException();
        if (HasThreadPerLane || space.IsLow) return;
        while (compactor.FlushOldest(mayMerge: true))
        {
            compactor.MeasureDebt();
            lock (gate) Monitor.PulseAll(gate);
        }
    }

    sealed class StoppedException : Exception;
}
