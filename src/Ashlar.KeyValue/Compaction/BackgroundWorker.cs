using System.Runtime.ExceptionServices;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Writes memtables to tables and merges tables on a thread of its own, and holds writers back when it falls behind: first
/// each group waits a millisecond, then until there is room.
/// </summary>
sealed class BackgroundWorker : IDisposable
{
    const int MostImmutableMemTables = 2;
    static readonly TimeSpan SlowDown = TimeSpan.FromMilliseconds(1);

    readonly object gate = new();
    readonly StoreState state;
    readonly Compactor compactor;
    readonly PoisonLatch poison;
    readonly KeyValueOptions options;
    readonly Thread? thread;
    bool hasWork = true;
    bool isStopping;
    Exception? failure;
    long requestedCompactions;
    long doneCompactions;
    long attempts;
    long stalls;

    public BackgroundWorker(StoreState state, Compactor compactor, PoisonLatch poison, KeyValueOptions options, string name)
    {
        this.state = state;
        this.compactor = compactor;
        this.poison = poison;
        this.options = options;
        if (options.BackgroundInline) return;
        thread = new Thread(Run) { IsBackground = true, Name = $"compaction {name}" };
        thread.Start();
    }

    /// <summary>How often writers had to wait for the background.</summary>
    public long Stalls => Volatile.Read(ref stalls);

    /// <summary>What stopped the last attempt; null if it succeeded.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    /// <summary>There may be work: a memtable waits.</summary>
    public void Signal()
    {
        lock (gate)
        {
            hasWork = true;
            failure = null;
            Monitor.PulseAll(gate);
        }

        if (options.BackgroundInline) Work();
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
            if (IsBlocked(needsMemTable)) RetryInline();
            return;
        }

        lock (gate)
        {
            if (!IsBlocked(needsMemTable))
            {
                if (levelZero >= 2 * options.LevelZeroTables) Monitor.Wait(gate, SlowDown);
                return;
            }

            // What failed before may work now, because somebody made space: one more attempt, then its failure is the writer's.
            var seen = attempts;
            failure = null;
            hasWork = true;
            Monitor.PulseAll(gate);
            while (IsBlocked(needsMemTable))
            {
                poison.ThrowIfSet();
                ObjectDisposedException.ThrowIf(isStopping, typeof(KeyValueStore));
                if (failure is { } cause && attempts > seen) ExceptionDispatchInfo.Throw(cause);
                Monitor.Wait(gate);
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
            var seen = attempts;
            while (Debt().MemTables > 0) WaitForAttempt(seen);
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
            var seen = attempts;
            failure = null;
            hasWork = true;
            Monitor.PulseAll(gate);
            while (doneCompactions < wanted) WaitForAttempt(seen);
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

        thread?.Join();
    }

    void WaitForAttempt(long seen)
    {
        poison.ThrowIfSet();
        ObjectDisposedException.ThrowIf(isStopping, typeof(KeyValueStore));
        if (failure is { } cause && attempts > seen) ExceptionDispatchInfo.Throw(cause);
        Monitor.Wait(gate);
    }

    void RetryInline()
    {
        failure = null;
        hasWork = true;
        Work();
        poison.ThrowIfSet();
        if (failure is { } cause) ExceptionDispatchInfo.Throw(cause);
    }

    (int MemTables, int LevelZero) Debt()
    {
        var version = state.Acquire();
        var debt = (version.Immutable.Length, version.Tables.LevelZero.Length);
        version.Release();
        return debt;
    }

    bool IsBlocked(bool needsMemTable)
    {
        var (memTables, levelZero) = Debt();
        return (needsMemTable && memTables >= MostImmutableMemTables) || levelZero >= 3 * options.LevelZeroTables;
    }

    void Run()
    {
        while (true)
        {
            lock (gate)
            {
                while (!hasWork && !isStopping) Monitor.Wait(gate);
                if (isStopping) return;
            }

            Work();
        }
    }

    void Work()
    {
        // Cleared before looking: work that arrives meanwhile sets it again.
        lock (gate) hasWork = false;
        try
        {
            while (!poison.IsSet && !Volatile.Read(ref isStopping) && WorkOnce()) Attempted(null);
        }
        catch (StoppedException)
        {
        }
        catch (InDoubtException doubt)
        {
            poison.Set(doubt.Cause);
            Attempted(doubt.Cause);
        }
        catch (Exception cause)
        {
            // Nothing is in doubt: the manifest names neither outputs nor a changed set of inputs. Tried again with
            // the next signal.
            Attempted(cause);
        }
    }

    void Attempted(Exception? cause)
    {
        lock (gate)
        {
            attempts++;
            failure = cause;
            Monitor.PulseAll(gate);
        }
    }

    bool WorkOnce()
    {
        if (compactor.FlushOldest()) return true;
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
        while (compactor.FlushOldest())
        {
            lock (gate) Monitor.PulseAll(gate);
        }
    }

    sealed class StoppedException : Exception;
}
