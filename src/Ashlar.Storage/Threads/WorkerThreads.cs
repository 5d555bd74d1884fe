namespace Ashlar.Storage;

/// <summary>
/// A set of threads of its own that runs queued work in the order in which it was posted. Threads are started as work asks for them
/// and end, all but one, when they have had none for a while.
/// </summary>
/// <remarks>
/// <para>The data plane (devices, flushes, commits, markers, groups of writers, answers) queues nothing to the .NET thread pool: that
/// has few threads, grows by one or two in a second, and whoever shares the process may block them all. Three rules follow.</para>
/// <para>Work that may wait for the disk goes to <see cref="Blocking"/>; its size is the depth that disks that answer see. Work that goes
/// on after something was waited for goes to <see cref="Completions"/> and does not block itself. If it does all the same, it delays
/// others only until the set adds a thread for the one that is stuck.</para>
/// <para>Who waits does so by <see cref="CompletionCore"/> or <see cref="SharedCompletion"/>, and async methods on the way are built
/// with <see cref="WorkerMethodBuilder"/>. A <see cref="TaskCompletionSource"/> that runs its continuations asynchronously uses the
/// thread pool, and every task and source of .NET does whenever it is completed just before its caller has registered a
/// continuation.</para>
/// <para>A source is completed on a thread that may carry the continuation: one of these sets, never one that holds a lock or must
/// begin the next flush.</para>
/// </remarks>
public sealed class WorkerThreads : IDisposable
{
    const int MaxBlockingThreads = 64;

    // Reads of a disk that does not answer hold their threads for as long as it pleases; those of other disks go on with more.
    const int MaxStuckBlockingThreads = 1024;

    static readonly TimeSpan DefaultIdleTime = TimeSpan.FromSeconds(10);

    // Longer than anything that only computes, short beside the timeouts of clients.
    static readonly TimeSpan StuckAfter = TimeSpan.FromMilliseconds(50);

    readonly Lock gate = new();
    readonly Queue<Work> queue = new();
    readonly List<Worker> idle = []; // The last to become idle is the next to work, so that the others can end.
    readonly string name;
    readonly int threadLimit;
    readonly int stuckThreadLimit;
    readonly TimeSpan idleTime;
    int threadCount;
    long takenCount;
    bool isWatched;
    bool isDisposed;

    /// <summary>Makes a set; its first thread is started by the first work.</summary>
    /// <param name="name">What its threads are called.</param>
    /// <param name="threadLimit">How many threads run work at a time.</param>
    /// <param name="stuckThreadLimit">
    /// How many there may be while those are stuck, at least <paramref name="threadLimit"/>: one more is started whenever work waits
    /// and none was begun for a while. 0 for no more than <paramref name="threadLimit"/>.
    /// </param>
    /// <param name="idleTime">How long a thread waits for work before it ends; null for 10 seconds.</param>
    public WorkerThreads(string name, int threadLimit, int stuckThreadLimit = 0, TimeSpan? idleTime = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threadLimit, 1);
        this.name = name;
        this.threadLimit = threadLimit;
        this.stuckThreadLimit = Math.Max(threadLimit, stuckThreadLimit);
        this.idleTime = idleTime ?? DefaultIdleTime;
    }

    /// <summary>
    /// Work of any set, which is the sender, threw: a bug of whoever posted it. The thread reports it here and goes on. While nobody
    /// listens it is an unhandled exception of the thread, which ends the process and says why.
    /// </summary>
    public static event EventHandler<UnhandledExceptionEventArgs>? UnhandledWork;

    /// <summary>For work that may wait for the disk: reads that miss the page cache, long zeroing.</summary>
    public static WorkerThreads Blocking { get; } =
        new("ashlar-disk", MaxBlockingThreads, MaxStuckBlockingThreads);

    /// <summary>For work that does not block: what goes on after a commit, a flush, a lock.</summary>
    public static WorkerThreads Completions { get; } =
        new("ashlar-done", Math.Max(2, Environment.ProcessorCount), stuckThreadLimit: 256);

    /// <summary>What its threads are called.</summary>
    public string Name => name;

    /// <summary>Threads that there are now.</summary>
    public int ThreadCount
    {
        get
        {
            using (gate.Hold()) return threadCount;
        }
    }

    /// <summary>Work that waits for a thread.</summary>
    public int QueuedCount
    {
        get
        {
            using (gate.Hold()) return queue.Count;
        }
    }

    /// <summary>Runs work on one of the threads. Allocates nothing; the execution context does not flow.</summary>
    /// <exception cref="ObjectDisposedException">The set has been disposed of.</exception>
    public void Post(IThreadPoolWorkItem work) => Post(new Work(Work.ExecuteItem, work));

    /// <summary>
    /// Runs an action on one of the threads; the execution context does not flow. Allocates nothing if it takes any object.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The set has been disposed of.</exception>
    public void Post<T>(Action<T> action, T state)
    {
        if (action is Action<object?> any) Post(new Work(any, state));
        else Post(new ActionWork<T>(action, state));
    }

    /// <summary>
    /// Runs an action on one of the threads; what it throws is thrown to whoever awaits it, who goes on on the same thread.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The set has been disposed of.</exception>
    public ValueTask RunAsync<T>(Action<T> action, T state)
    {
        var work = new AwaitedWork<T>(action, state);
        var task = work.Task;
        Post(work);
        return task;
    }

    /// <summary>Lets the threads end when they have done what is queued. The shared sets are never disposed of.</summary>
    public void Dispose()
    {
        using (gate.Hold())
        {
            isDisposed = true;
            foreach (var worker in idle) worker.Wake();
            idle.Clear();
        }
    }

    // Invariant: for all work that is queued there is a thread that will look into the queue before it waits: each post wakes one that
    // waits, or starts one, or finds as many as there may be at work or awake. Nothing is given to a particular thread: one that
    // has just finished, perhaps the one that posts, is sooner there than one that has to be woken.
    void Post(in Work work)
    {
        Worker worker;
        using (gate.Hold())
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (idle.Count == 0)
            {
                if (threadCount < threadLimit && !TryStart() && threadCount == 0)
                    throw new InvalidOperationException($"No thread can be started for {name}.");
                queue.Enqueue(work);
                if (threadCount >= threadLimit && threadCount < stuckThreadLimit) Watch();
                return;
            }

            queue.Enqueue(work);
            worker = idle[^1];
            idle.RemoveAt(idle.Count - 1);
        }

        worker.Wake();
    }

    // Under the gate: the thread that is started enters it before it looks for work. A system that refuses a thread leaves the work
    // to those that are there.
    bool TryStart()
    {
        var worker = new Worker();
        var thread = new Thread(() => Run(worker)) { IsBackground = true, Name = name };
        try
        {
            thread.UnsafeStart();
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            return false;
        }

        threadCount++;
        return true;
    }

    void Run(Worker worker)
    {
        var context = ExecutionContext.Capture();
        while (TryTake(worker, out var work))
        {
            try
            {
                work.Action(work.State);
            }
            catch (Exception e) when (UnhandledWork is { } listeners)
            {
                listeners(this, new UnhandledExceptionEventArgs(e, isTerminating: false));
            }

            if (context is not null) ExecutionContext.Restore(context); // What the work left behind is none of the next one's.
        }
    }

    bool TryTake(Worker worker, out Work work)
    {
        while (true)
        {
            using (gate.Hold())
            {
                if (queue.TryDequeue(out work))
                {
                    takenCount++;
                    return true;
                }

                if (isDisposed)
                {
                    threadCount--;
                    return false;
                }

                idle.Add(worker);
            }

            if (worker.TryWait(idleTime)) continue;
            if (TryRetire(worker)) return false;
            worker.TryWait(Timeout.InfiniteTimeSpan); // It was chosen in the last moment, or is the last.
        }
    }

    // A thread that is still among the idle may end: nobody is about to give it work. The last one stays, so that a system that has
    // run out of threads refuses none later.
    bool TryRetire(Worker worker)
    {
        using (gate.Hold())
        {
            if (threadCount == 1 || !idle.Remove(worker)) return false;
            threadCount--;
            return true;
        }
    }

    // Under the gate.
    void Watch()
    {
        if (isWatched) return;
        var thread = new Thread(WatchForStuckWork) { IsBackground = true, Name = name };
        try
        {
            thread.UnsafeStart();
            isWatched = true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            // The next work that is queued tries again.
        }
    }

    // Work that blocks may wait for the very work that is queued behind it.
    void WatchForStuckWork()
    {
        var quietTime = TimeSpan.Zero;
        while (true)
        {
            long before;
            using (gate.Hold())
            {
                quietTime = queue.Count == 0 ? quietTime + StuckAfter : TimeSpan.Zero;
                if (quietTime > idleTime || (isDisposed && queue.Count == 0))
                {
                    isWatched = false;
                    return;
                }

                before = takenCount;
            }

            Thread.Sleep(StuckAfter);
            using (gate.Hold())
            {
                if (queue.Count > 0 && takenCount == before && threadCount < stuckThreadLimit) TryStart();
            }
        }
    }

    readonly record struct Work(Action<object?> Action, object? State)
    {
        public static readonly Action<object?> ExecuteItem = static item => ((IThreadPoolWorkItem)item!).Execute();
    }

    sealed class ActionWork<T>(Action<T> action, T state) : IThreadPoolWorkItem
    {
        public void Execute() => action(state);
    }

    // Where a thread waits to be woken.
    sealed class Worker
    {
        bool isWoken;

        public void Wake()
        {
            using (Uninterrupted.Enter(this))
            {
                isWoken = true;
                Monitor.Pulse(this);
            }
        }

        public bool TryWait(TimeSpan patience)
        {
            using (Uninterrupted.Enter(this))
            {
                while (!isWoken)
                {
                    try
                    {
                        if (!Monitor.Wait(this, patience)) return false;
                    }
                    catch (ThreadInterruptedException)
                    {
                        // It was meant for work that is over.
                    }
                }

                isWoken = false;
                return true;
            }
        }
    }
}
