namespace Ashlar.KeyValue;

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
    ulong durableSequence;
    Exception? failure;
    int isTimerSet;

    public DurabilityTracker(ulong durableSequence, TimeSpan lossTime, TimeProvider clock, Action startSync)
    {
        this.durableSequence = durableSequence;
        delay = lossTime / 2;
        timer = clock.CreateTimer(
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
        if (Interlocked.Exchange(ref isTimerSet, 1) == 0) timer.Change(delay, Timeout.InfiniteTimeSpan);
    }

    public void Advance(ulong sequence)
    {
        if (sequence <= durableSequence) return;
        Volatile.Write(ref durableSequence, sequence);
        lock (gate)
        {
            while (waiters.Count > 0 && waiters.GetKeyAtIndex(0) <= sequence)
            {
                waiters.GetValueAtIndex(0).SetResult();
                waiters.RemoveAt(0);
            }
        }
    }

    public Task WaitAsync(ulong sequence)
    {
        if (sequence <= DurableSequence) return Task.CompletedTask;
        lock (gate)
        {
            if (sequence <= DurableSequence) return Task.CompletedTask;
            if (failure is not null) return Task.FromException(failure);
            if (!waiters.TryGetValue(sequence, out var waiter))
                waiters.Add(sequence, waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            return waiter.Task;
        }
    }

    /// <summary>What is not durable by now never will be, as far as this opening of the store can tell.</summary>
    public void Fail(Exception cause)
    {
        lock (gate)
        {
            failure ??= cause;
            foreach (var waiter in waiters.Values) waiter.SetException(cause);
            waiters.Clear();
        }
    }

    public void Dispose() => timer.Dispose();
}
