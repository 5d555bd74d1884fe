using System.Runtime.ExceptionServices;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Writes memtables to tables and merges tables, and holds writers back when it falls behind: first each group waits a
/// millisecond, then until there is room.
/// </summary>
/// <remarks>
/// Memtables have a thread of their own, so that none ever waits for a long merge; with one thread a merge pauses for them. Tests
/// that need one order of events have both done on the writing thread.
/// </remarks>
sealed class BackgroundWorker : IDisposable
{
    const int MostImmutableMemTables = 2;
    static readonly TimeSpan SlowDown = TimeSpan.FromMilliseconds(1);

    readonly object gate = new();
    readonly Lock inlineGate = new();
    readonly StoreState state;
    readonly Compactor compactor;
    readonly PoisonLatch poison;
    readonly KeyValueOptions options;
    readonly BackgroundLane flushes;
    readonly BackgroundLane merges;
    readonly Thread[] threads = [];
    bool isStopping;
    long requestedCompactions;
    long doneCompactions;
    long stalls;

    public BackgroundWorker(StoreState state, Compactor compactor, PoisonLatch poison, KeyValueOptions options, string name)
    {
        this.state = state;
        this.compactor = compactor;
        this.poison = poison;
        this.options = options;
        flushes = new BackgroundLane(compactor.FlushOldest);
        merges = new BackgroundLane(MergeOnce);
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

    /// <summary>How often writers had to wait for the background.</summary>
    public long Stalls => Volatile.Read(ref stalls);

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

    /// <summary>Holds a writer back while too much waits to be written or merged.</summary>
    /// <exception cref="StorageException">The background cannot make room: the disk is full.</exception>
    public void WaitForRoom(bool needsMemTable)
    {
        var (memTables, levelZero) = Debt();
        if (memTables < MostImmutableMemTables && levelZero < 2 * options.LevelZeroTables) return;
        Volatile.Write(ref stalls, stalls + 1);
        if (options.BackgroundInline)
        {
            if (WhatBlocks(needsMemTable) is not null) RetryInline();
            return;
        }

        lock (gate)
        {
            if (WhatBlocks(needsMemTable) is not { } lane)
            {
                if (levelZero >= 2 * options.LevelZeroTables) Monitor.Wait(gate, SlowDown);
                return;
            }

            // One more attempt, then its failure is the writer's.
            var seen = lane.Attempts;
            lane.Retry();
            Monitor.PulseAll(gate);
            while (WhatBlocks(needsMemTable) is { } blocking)
            {
                if (blocking != lane) (lane, seen) = (blocking, blocking.Attempts);
                WaitForAttempt(lane, seen);
            }
        }
    }

    /// <summary>Waits until no memtable waits to be written.</summary>
    public void WaitForFlush()
    {
        if (options.BackgroundInline)
        {
            if (Debt().MemTables > 0) RetryInline();
            return;
        }

        lock (gate)
        {
            var seen = flushes.Attempts;
            while (Debt().MemTables > 0) WaitForAttempt(flushes, seen);
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
            var seen = merges.Attempts;
            merges.Retry();
            Monitor.PulseAll(gate);
            while (doneCompactions < wanted) WaitForAttempt(merges, seen);
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

    void WaitForAttempt(BackgroundLane lane, long seen)
    {
        poison.ThrowIfSet();
        ObjectDisposedException.ThrowIf(isStopping, typeof(KeyValueStore));
        if (lane.Failure is { } cause && lane.Attempts > seen) ExceptionDispatchInfo.Throw(cause);
        Monitor.Wait(gate);
    }

    (int MemTables, int LevelZero) Debt()
    {
        var version = state.Acquire();
        var debt = (version.Immutable.Length, version.Tables.LevelZero.Length);
        version.Release();
        return debt;
    }

    /// <summary>The work that a writer has to wait for; null if it may go on.</summary>
    BackgroundLane? WhatBlocks(bool needsMemTable)
    {
        var (memTables, levelZero) = Debt();
        if (needsMemTable && memTables >= MostImmutableMemTables) return flushes;
        return levelZero >= 3 * options.LevelZeroTables ? merges : null;
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
        }

        try
        {
            while (!poison.IsSet && !Volatile.Read(ref isStopping) && lane.WorkOnce()) Attempted(lane, null);
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
            // the next signal.
            Attempted(lane, cause);
        }
    }

    void Attempted(BackgroundLane lane, Exception? cause)
    {
        lock (gate)
        {
            lane.Attempts++;
            lane.Failure = cause;
            // A new table in level 0 may be one too many.
            if (lane == flushes && cause is null) merges.HasWork = true;
            Monitor.PulseAll(gate);
        }
    }

    bool MergeOnce()
    {
        long wanted;
        lock (gate) wanted = requestedCompactions;
        if (wanted > doneCompactions)
        {
            compactor.Compact(everything: true, Pause);
            lock (gate) doneCompactions = wanted;
            return true;
        }

        return compactor.Compact(everything: false, Pause);
    }

    void Pause()
    {
        if (Volatile.Read(ref isStopping)) throw new StoppedException();
        if (HasThreadPerLane) return;
        while (compactor.FlushOldest())
        {
            lock (gate) Monitor.PulseAll(gate);
        }
    }

    sealed class StoppedException : Exception;
}
