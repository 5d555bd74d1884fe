using System.Runtime.ExceptionServices;

namespace Ashlar.Storage;

/// <summary>
/// The system's time, with timers that the data plane can rely on: those of .NET fire on the thread pool, so that nothing is committed
/// in time while others block it.
/// </summary>
/// <remarks>
/// One thread sleeps until the next timer is due and hands each to a worker, which may block. Runs of one timer do not overlap: if it
/// falls due while it runs it runs once more.
/// </remarks>
public sealed class WorkerClock : TimeProvider
{
    static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    static readonly TimeSpan Forever = TimeSpan.FromDays(10_000);

    // For a system that has no thread at the moment.
    static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    readonly object gate = new(); // A monitor: it is waited on.
    readonly PriorityQueue<(WorkerTimer Timer, long Setting), TimeSpan> due = new();
    readonly long startedAt;
    long settings;
    bool isRunning;

    WorkerClock() => startedAt = GetTimestamp();

    /// <summary>The clock; its thread is started by the first timer.</summary>
    public static WorkerClock Instance { get; } = new();

    TimeSpan Now => GetElapsedTime(startedAt);

    /// <summary>This clock instead of .NET's; any other, such as that of a test, stays.</summary>
    public static TimeProvider For(TimeProvider clock) => clock == System ? Instance : clock;

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new WorkerTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    void Run()
    {
        using (Uninterrupted.Enter(gate))
        {
            while (true)
            {
                var wait = WakeDue();
                if (wait > TimeSpan.Zero) Monitor.Wait(gate, wait);
            }
        }
    }

    // Under the gate. How long nothing will be due.
    TimeSpan WakeDue()
    {
        while (due.TryPeek(out var entry, out var at))
        {
            var isSet = entry.Timer.Setting == entry.Setting; // Else it was changed or disposed of meanwhile.
            if (isSet && at - Now is var wait && wait > TimeSpan.Zero) return wait < LongestWait ? wait : LongestWait;
            due.Dequeue();
            if (!isSet) continue;
            entry.Timer.Setting = 0;
            if (!entry.Timer.TryWake()) Set(entry.Timer, RetryAfter);
            else if (entry.Timer.Period > TimeSpan.Zero) Set(entry.Timer, entry.Timer.Period);
        }

        return LongestWait;
    }

    // Under the gate.
    void Set(WorkerTimer timer, TimeSpan after)
    {
        timer.Setting = ++settings;
        due.Enqueue((timer, timer.Setting), Now + (after < Forever ? after : Forever));
    }

    // Under the gate.
    void Start()
    {
        if (isRunning)
        {
            Monitor.Pulse(gate); // It may have slept for longer than it now should.
            return;
        }

        new Thread(Run) { IsBackground = true, Name = "ashlar-clock" }.UnsafeStart();
        isRunning = true;
    }

    sealed class WorkerTimer : ITimer
    {
        readonly WorkerClock clock;
        readonly SerialWorker worker;
        bool isDisposed;

        public WorkerTimer(WorkerClock clock, TimerCallback callback, object? state)
        {
            this.clock = clock;
            worker = new SerialWorker(() =>
            {
                try
                {
                    callback(state);
                }
                catch (Exception e)
                {
                    // A bug: reported like that of any other work, and the timer goes on.
                    WorkerThreads.Completions.Post(static bug => bug.Throw(), ExceptionDispatchInfo.Capture(e));
                }

                return default;
            });
        }

        /// <summary>Which entry of the queue is its own; 0 for none. Under the clock's gate.</summary>
        public long Setting { get; set; }

        public TimeSpan Period { get; private set; }

        /// <summary>Under the clock's gate, so that the worker is not disposed of: only who has a setting is woken.</summary>
        public bool TryWake()
        {
            try
            {
                worker.Wake();
                return true;
            }
            catch (InvalidOperationException e) when (e is not ObjectDisposedException)
            {
                return false; // No thread could be started.
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            using (Uninterrupted.Enter(clock.gate))
            {
                if (isDisposed) return false;
                Setting = 0;
                Period = period;
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                clock.Set(this, dueTime);
                clock.Start();
                return true;
            }
        }

        /// <summary>It does not fire again; a run that has begun goes on.</summary>
        public void Dispose()
        {
            using (Uninterrupted.Enter(clock.gate))
            {
                isDisposed = true;
                Setting = 0;
            }
        }

        /// <summary>The same, and waits for a run that has begun.</summary>
        public ValueTask DisposeAsync()
        {
            Dispose();
            return WorkerThreads.Completions.RunAsync(static worker => worker.Dispose(), worker);
        }
    }
}
