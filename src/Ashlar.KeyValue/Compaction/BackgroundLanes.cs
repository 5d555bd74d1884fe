using System.Runtime.ExceptionServices;
using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Errors;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Runs the two kinds of background work, flushes and merges, on their threads; tries again what failed when there may be room, and lets
/// others wait for either.
/// </summary>
/// <remarks>
/// Memtables have a thread of their own, so that none ever waits for a long merge; with one thread a merge pauses for them. Tests
/// that need one order of events have both done on the writing thread.
/// </remarks>
sealed partial class BackgroundLanes : IDisposable
{
    const int MaxRepetitions = 8;

    readonly object gate = new();
    readonly Lock inlineGate = new();
    readonly PoisonLatch poison;
    readonly SpaceReserve space;
    readonly Action attempted;
    readonly bool isInline;
    readonly int inlineMerges;
    readonly Thread[] threads = [];
    bool isStopping;
    bool haveMergesGivenUp; // They met a full disk, also after waiting for what had been freed, and none was done since.

    /// <summary>Prepares the work; none is done before <see cref="Start"/>.</summary>
    /// <param name="flush">Writes a memtable to a table; false if none waits.</param>
    /// <param name="merge">Merges tables once; false if there is nothing to merge.</param>
    /// <param name="attempted">Called after each of them, done or not.</param>
    /// <param name="engine">Poisoned by work that leaves the disk in doubt; once it is, nothing is done.</param>
    /// <param name="space">Told when the disk is full.</param>
    public BackgroundLanes(Func<bool> flush, Func<bool> merge, Action attempted, EngineContext engine, SpaceReserve space)
    {
        var (options, name) = (engine.Options, engine.Files.Directory);
        this.attempted = attempted;
        this.space = space;
        poison = engine.Poison;
        isInline = options.BackgroundInline;
        inlineMerges = options.InlineMerges;
        Flushes = new BackgroundLane(flush);
        Merges = new BackgroundLane(merge);
        if (options.BackgroundInline || options.ReadOnly) return;
        threads = options.BackgroundThreads == 1
            ? [new Thread(() => Run(Flushes, Merges)) { Name = $"background {name}" }]
            : [new Thread(() => Run(Flushes)) { Name = $"flush {name}" }, new Thread(() => Run(Merges)) { Name = $"merge {name}" }];
    }

    public BackgroundLane Flushes { get; }

    public BackgroundLane Merges { get; }

    /// <summary>What stopped the last attempt; null if it succeeded.</summary>
    public Exception? Failure
    {
        get
        {
            using (Uninterrupted.Enter(gate)) return Flushes.Failure ?? Merges.Failure;
        }
    }

    /// <summary>Whether memtables are written while tables are merged.</summary>
    public bool HasThreadEach => threads.Length > 1;

    /// <summary>
    /// Whether tables are being merged, or may be next. What met a full disk just now still may: space that was freed can be late.
    /// </summary>
    public bool MayMerge
    {
        get
        {
            using (Uninterrupted.Enter(gate))
            {
                return Merges.IsWorking
                    || (Merges.HasWork && Merges.Failure is null)
                    || (IsDiskFull(Merges.Failure) && !haveMergesGivenUp);
            }
        }
    }

    public void Start()
    {
        foreach (var thread in threads)
        {
            thread.IsBackground = true;
            thread.Start();
        }
    }

    /// <summary>There may be work, also where it failed before.</summary>
    public void Signal()
    {
        using (Uninterrupted.Enter(gate))
        {
            Flushes.Retry();
            Merges.Retry();
            haveMergesGivenUp &= space.IsLow;
            Monitor.PulseAll(gate);
        }

        if (isInline) WorkInline(inlineMerges);
    }

    /// <summary>
    /// There may be something to merge though nothing was written. Where writers do the work, it waits for the next of them.
    /// </summary>
    public void SignalMerges()
    {
        using (Uninterrupted.Enter(gate))
        {
            Merges.Retry();
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Lets waiters look again.</summary>
    public void Wake()
    {
        using (Uninterrupted.Enter(gate)) Monitor.PulseAll(gate);
    }

    /// <summary>Ends the work that calls it, where the store is being closed.</summary>
    public void ThrowIfStopping()
    {
        if (Volatile.Read(ref isStopping)) throw new StoppedException();
    }

    /// <summary>Stops between two entries of a merge; what was begun is an orphan.</summary>
    public void Dispose()
    {
        using (Uninterrupted.Enter(gate))
        {
            isStopping = true;
            Monitor.PulseAll(gate);
        }

        foreach (var thread in threads)
        {
            if (!thread.ThreadState.HasFlag(ThreadState.Unstarted)) Uninterrupted.Join(thread);
        }
    }

    static bool IsDiskFull(Exception? cause) => cause is StorageException { Kind: StorageErrorKind.NoSpace };

    void Run(params ReadOnlySpan<BackgroundLane> lanes)
    {
        while (true)
        {
            using (Uninterrupted.Enter(gate))
            {
                while (!isStopping && !AnyHasWork(lanes)) Uninterrupted.Wait(gate);
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

    void WorkInline(int maxMerges)
    {
        using (inlineGate.Hold())
        {
            Work(Flushes);
            Work(Merges, maxMerges);
            if (!IsDiskFull(Flushes.Failure)) return;
            haveMergesGivenUp = IsDiskFull(Merges.Failure);
            Flushes.Retry();
            Work(Flushes);
            Work(Merges);
        }
    }

    // What passes for a wait where nobody else works.
    bool TryMergeInline()
    {
        using (inlineGate.Hold())
        {
            if (isStopping || poison.IsSet || Failure is not null || !Merges.HasWork) return false;
            Work(Merges, 1);
            return true;
        }
    }

    void RunInline()
    {
        using (Uninterrupted.Enter(gate))
        {
            Flushes.Retry();
            Merges.Retry();
        }

        WorkInline(int.MaxValue);
        poison.ThrowIfSet();
        if (Failure is { } cause) ExceptionDispatchInfo.Throw(cause);
    }

    void Work(BackgroundLane lane, int maxAttempts = int.MaxValue)
    {
        // A few times more at the most: what fails again waits for the next signal, whatever it then seems that there is room for.
        var again = 0;
        while (WorkUntilDone(lane, again == 0 ? maxAttempts : int.MaxValue, mayGoOn: again < MaxRepetitions)) again++;
    }

    // True if it is to be done again, because what failed did not know yet that the disk is full.
    bool WorkUntilDone(BackgroundLane lane, int maxAttempts, bool mayGoOn)
    {
        // Cleared before looking: work that arrives meanwhile sets it again.
        using (Uninterrupted.Enter(gate))
        {
            if (!lane.HasWork) return false;
            lane.HasWork = false;
            lane.IsWorking = true;
        }

        var isAgain = false;
        var wasLow = false;
        var hasMore = false;
        try
        {
            do (wasLow, hasMore) = (space.IsLow, maxAttempts-- == 0);
            while (!hasMore && !poison.IsSet && !Volatile.Read(ref isStopping) && Attempt(lane));
        }
        catch (StoppedException)
        {
        }
        catch (InDoubtException doubt)
        {
            poison.Set(doubt.Cause);
            Attempted(lane, doubt.Cause);
        }
        catch (InvariantException bug)
        {
            // What it goes by is wrong: tried again it could succeed, and write what is wrong.
            poison.Set(bug);
            Attempted(lane, bug);
        }
        catch (Exception cause)
        {
            // Nothing is in doubt: the manifest names neither outputs nor a changed set of inputs. Tried again with
            // the next signal, and at once if it did not know yet that the disk is full, or how full.
            if (mayGoOn && IsDiskFull(cause) && space.MayTryAgain((StorageException)cause, wasLow)) isAgain = true;
            else Attempted(lane, cause);
        }

        using (Uninterrupted.Enter(gate))
        {
            lane.IsWorking = false;
            lane.HasWork |= isAgain || hasMore;
            Monitor.PulseAll(gate);
        }

        return isAgain;
    }

    bool Attempt(BackgroundLane lane)
    {
        if (!lane.WorkOnce()) return false;
        Attempted(lane, null);
        return true;
    }

    void Attempted(BackgroundLane lane, Exception? cause)
    {
        attempted();
        using (Uninterrupted.Enter(gate))
        {
            lane.Attempts++;
            lane.Failure = cause;
            if (cause is null) lane.Done++;
            // A new table in level 0 may be one too many; and a merge may have made the room that a flush had not.
            if (lane == Flushes && cause is null) Merges.HasWork = true;
            if (lane == Merges && cause is null && IsDiskFull(Flushes.Failure)) Flushes.Retry();
            if (lane == Merges && cause is null) haveMergesGivenUp = false;
            Monitor.PulseAll(gate);
        }
    }

    sealed class StoppedException : Exception;
}
