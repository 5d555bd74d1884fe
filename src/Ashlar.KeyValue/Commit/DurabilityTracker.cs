using Ashlar.KeyValue.Options;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// Knows up to which sequence everything is durable, wakes who waits for it, and keeps the time bound of relaxed writes: half
/// of the allowed time after the first unsynced write a sync is started, which leaves the other half for the disk.
/// </summary>
sealed class DurabilityTracker : IDisposable
{
    readonly Lock gate = new();
    readonly SortedList<ulong, TaskCompletionSource> waiters = [];
    readonly TimeSpan delay;
    readonly ITimer timer;
    readonly Action startSync;
    ulong durableSequence;
    Exception? failure;
    int isTimerSet;
    int isSyncStarted;

    public DurabilityTracker(ulong durableSequence, TimeSpan lossTime, TimeProvider clock, Action startSync)
    {
        this.durableSequence = durableSequence;
        delay = TimerLimit.Clamp(lossTime / 2);
        this.startSync = startSync;
        timer = WorkerClock.For(clock).CreateTimer(
            _ =>
            {
                Volatile.Write(ref isTimerSet, 0);
                startSync();
            },
            null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public ulong DurableSequence => Volatile.Read(ref durableSequence);

    public void StartTimer()
    {
        if (Volatile.Read(ref isTimerSet) != 0 || Interlocked.Exchange(ref isTimerSet, 1) != 0) return;
        try
        {
            timer.Change(delay, Timeout.InfiniteTimeSpan);
        }
        catch
        {
            Volatile.Write(ref isTimerSet, 0); // Taken for set, it would never be set again.
            throw;
        }
    }

    /// <summary>Starts a sync unless one was started since the last one ended.</summary>
    public void StartSync()
    {
        if (Volatile.Read(ref isSyncStarted) != 0 || Interlocked.Exchange(ref isSyncStarted, 1) != 0) return;
        try
        {
            startSync();
        }
        catch
        {
            Volatile.Write(ref isSyncStarted, 0);
            throw;
        }
    }

    public void Advance(ulong sequence)
    {
        Volatile.Write(ref isSyncStarted, 0);
        if (sequence <= durableSequence) return;
        Volatile.Write(ref durableSequence, sequence);
        using (gate.Hold())
        {
            while (waiters.Count > 0 && waiters.GetKeyAtIndex(0) <= sequence)
            {
                WorkerThreads.Completions.Post(static waiter => waiter.SetResult(), waiters.GetValueAtIndex(0));
                waiters.RemoveAt(0);
            }
        }
    }

    public Task WaitAsync(ulong sequence)
    {
        if (sequence <= DurableSequence) return Task.CompletedTask;
        TaskCompletionSource? waiter;
        using (gate.Hold())
        {
            if (sequence <= DurableSequence) return Task.CompletedTask;
            if (failure is not null) return Task.FromException(failure);
            StartTimer();
            if (!waiters.TryGetValue(sequence, out waiter))
                waiters.Add(sequence, waiter = new TaskCompletionSource()); // Continuations run where it is completed.
        }

        return waiter.Task;
    }

    /// <summary>What is not durable by now never will be, as far as this opening of the store can tell.</summary>
    public void Fail(Exception cause)
    {
        using (gate.Hold())
        {
            failure ??= cause;
            foreach (var waiter in waiters.Values)
                WorkerThreads.Completions.Post(static failed => failed.Waiter.SetException(failed.Cause), (Waiter: waiter, Cause: cause));
            waiters.Clear();
        }
    }

    public void Dispose() => timer.Dispose();
}
