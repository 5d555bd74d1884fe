using System.Threading.Tasks.Sources;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// Flushes of one file. They run off the caller's thread, one at a time; callers that ask while one is running share
/// the next one, which begins after they asked. The first failure latches: nothing is written or flushed after it.
/// </summary>
/// <remarks>
/// The latch is what keeps a flush honest: after a failed fdatasync the kernel may have dropped the dirty pages and
/// marked them clean, so that the next fdatasync succeeds although the data is lost.
/// </remarks>
sealed class FlushQueue(string device, Action flush) : IThreadPoolWorkItem
{
    readonly Lock gate = new();
    Waiter? waiting;
    Waiter? idle;
    bool running;
    long written = 1; // One ahead: what an earlier process left in the page cache is not known to be durable.
    long durable;
    Exception? firstFailure;

    /// <summary>A write has completed, so the next flush has something to do.</summary>
    public void NoteWrite() => Interlocked.Increment(ref written);

    /// <summary>Refuses, with the first cause, once a flush has failed.</summary>
    public void CheckHealthy()
    {
        if (Volatile.Read(ref firstFailure) is { } cause) throw Refusal(cause);
    }

    /// <summary>Makes everything durable that was written before the call.</summary>
    public ValueTask FlushAsync()
    {
        Waiter waiter;
        lock (gate)
        {
            if (firstFailure is { } cause) return ValueTask.FromException(Refusal(cause));
            if (Volatile.Read(ref written) == durable) return ValueTask.CompletedTask;
            waiter = idle ?? new Waiter(this);
            idle = waiter.Next;
            waiter.Next = waiting;
            waiting = waiter;
            if (running) return waiter.Task;
            running = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return waiter.Task;
    }

    void IThreadPoolWorkItem.Execute()
    {
        Waiter? round;
        long covered;
        lock (gate)
        {
            round = waiting;
            waiting = null;
            covered = Volatile.Read(ref written);
        }
        Exception? failure = null;
        try
        {
            flush();
        }
        catch (Exception e)
        {
            failure = e;
        }
        bool again;
        Waiter? late = null;
        lock (gate)
        {
            if (failure is null)
            {
                durable = covered;
            }
            else
            {
                firstFailure = failure;
                late = waiting;
                waiting = null;
            }
            again = running = waiting is not null;
        }
        // The next round starts before this one's callers go on: they may take their time.
        if (again) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        Complete(late, failure);
        Complete(round, failure);
    }

    // All but the last caller go on in threads of their own, so that none waits for another one's work.
    void Complete(Waiter? round, Exception? failure)
    {
        while (round is not null)
        {
            var waiter = round;
            round = waiter.Next;
            waiter.Next = null;
            waiter.Complete(
                failure is null
                    ? null
                    : new DeviceIOException(device, $"flush failed: {failure.Message}", isTransient: false, failure),
                runInline: round is null);
        }
    }

    DeviceIOException Refusal(Exception cause) => new(
        device,
        $"refuses writes and flushes because a flush has failed: {cause.Message}",
        isTransient: false,
        cause);

    void Recycle(Waiter waiter)
    {
        lock (gate)
        {
            waiter.Next = idle;
            idle = waiter;
        }
    }

    sealed class Waiter(FlushQueue owner) : IValueTaskSource
    {
        ManualResetValueTaskSourceCore<bool> source;

        public Waiter? Next { get; set; }

        public ValueTask Task => new(this, source.Version);

        public void Complete(Exception? failure, bool runInline)
        {
            source.RunContinuationsAsynchronously = !runInline;
            if (failure is null) source.SetResult(true);
            else source.SetException(failure);
        }

        public ValueTaskSourceStatus GetStatus(short token) => source.GetStatus(token);

        public void OnCompleted(
            Action<object?> continuation,
            object? state,
            short token,
            ValueTaskSourceOnCompletedFlags flags) => source.OnCompleted(continuation, state, token, flags);

        public void GetResult(short token)
        {
            try
            {
                source.GetResult(token);
            }
            finally
            {
                source.Reset();
                owner.Recycle(this);
            }
        }
    }
}
