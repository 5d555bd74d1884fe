using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// Flushes of one file, one at a time; callers that ask while one is running share the next one, which begins after they asked. They
/// run off the caller's thread unless it may wait (<see cref="InlineWaits"/>) and will not for long. The first failure latches: nothing
/// is written or flushed after it.
/// </summary>
/// <remarks>
/// <para>The latch is what keeps a flush honest: after a failed fdatasync the kernel may have dropped the dirty pages and
/// marked them clean, so that the next fdatasync succeeds although the data is lost.</para>
/// <para>Invariant of the count: whatever a change has put into the page cache is counted after it is there, and before
/// whoever asked for the change learns how it ended, well or not. So if nothing was counted since the count was taken for
/// a flush that has succeeded, all that anybody can know of is durable. A change counted only before it begins could be
/// taken for covered by a flush that it outlasts; one counted only when it succeeds leaves what a failed one has written,
/// and what readers have seen, to chance.</para>
/// </remarks>
sealed class FlushQueue(string device, Action flush) : IThreadPoolWorkItem
{
    const int MaxThreads = 256; // One for each file that is being flushed.

    // Threads that no cold read can occupy.
    static readonly WorkerThreads Threads = new("ashlar-flush", MaxThreads);

    // What a flush may have to write, and may have taken the last time, for the next to be expected to be over soon.
    const long ShortBytes = 1 << 20;
    static readonly TimeSpan ShortTime = TimeSpan.FromMilliseconds(2);

    readonly Lock gate = new();
    Waiter? firstWaiting;
    Waiter? lastWaiting;
    Waiter? idle;
    bool running;
    long changes = 1; // One ahead: what an earlier process left in the page cache is not known to be durable.
    long durable;
    long changedBytes = ShortBytes; // Since the last flush began, roughly; what an earlier process has left is not known.
    volatile bool wasShort = true;
    Exception? firstFailure;

    /// <summary>Whether a flush is expected to be over soon.</summary>
    public bool IsShort => wasShort && Interlocked.Read(ref changedBytes) < ShortBytes;

    /// <summary>
    /// A change has ended, so the next flush has something to do. Call it after the change, also when it failed.
    /// </summary>
    /// <param name="lengthBytes">How much the flush will have to write for it.</param>
    public void NoteChange(long lengthBytes = 0)
    {
        Interlocked.Add(ref changedBytes, lengthBytes);
        Interlocked.Increment(ref changes);
    }

    /// <summary>Refuses, with the first cause, once a flush has failed.</summary>
    public void CheckHealthy()
    {
        if (Volatile.Read(ref firstFailure) is { } cause) throw Refusal(cause);
    }

    /// <summary>Makes everything durable that was changed before the call.</summary>
    public ValueTask FlushAsync()
    {
        ValueTask next;
        bool isHere;
        lock (gate)
        {
            if (firstFailure is { } cause) return ValueTask.FromException(Refusal(cause));
            if (Volatile.Read(ref changes) == durable) return ValueTask.CompletedTask;
            isHere = !running && (InlineWaits.AreCertain || (InlineWaits.AreAllowed && IsShort));
            next = isHere ? default : JoinNext();
            if (running) return next;
            running = true;
        }
        if (!isHere)
        {
            Threads.Post(this);
            return next;
        }
        InlineWaits.Waiting();
        if (FlushOnce(out var failure, waitersGoOnHere: false)) Threads.Post(this);
        return failure is null ? ValueTask.CompletedTask : ValueTask.FromException(Failure(failure));
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (FlushOnce(out _, waitersGoOnHere: true))
        {
        }
    }

    // Under the gate.
    ValueTask JoinNext()
    {
        var waiter = idle ?? new Waiter(this);
        idle = waiter.Next;
        waiter.Next = null;
        if (lastWaiting is null) firstWaiting = waiter;
        else lastWaiting.Next = waiter;
        lastWaiting = waiter;
        return waiter.Task;
    }

    // By whoever has set running. Whether somebody waits for the next one.
    bool FlushOnce(out Exception? failure, bool waitersGoOnHere)
    {
        Waiter? round;
        long covered;
        lock (gate)
        {
            Invariant.Require(running); // Or two would flush at a time, and the later count be taken for the earlier flush.
            round = TakeWaiting();
            covered = Volatile.Read(ref changes);
            Interlocked.Exchange(ref changedBytes, 0);
        }
        var began = Stopwatch.GetTimestamp();
        failure = null;
        try
        {
            flush();
        }
        catch (Exception e)
        {
            failure = e;
        }
        wasShort = Stopwatch.GetElapsedTime(began) < ShortTime;
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
                late = TakeWaiting();
            }
            again = running = firstWaiting is not null;
        }
        Complete(late, failure, lastGoesOnHere: false);
        Complete(round, failure, lastGoesOnHere: waitersGoOnHere && !again);
        return again;
    }

    Waiter? TakeWaiting()
    {
        var first = firstWaiting;
        firstWaiting = lastWaiting = null;
        return first;
    }

    // The callers go on on other threads: they may take their time. Only if nobody waits for the next flush does the last
    // one go on on this thread, which spares it a switch: whoever asks for a flush from now on has it begun by another.
    void Complete(Waiter? round, Exception? failure, bool lastGoesOnHere)
    {
        while (round is not null)
        {
            var waiter = round;
            round = waiter.Next;
            waiter.Next = null;
            waiter.Complete(
                failure is null ? null : Failure(failure),
                round is null && lastGoesOnHere ? null : WorkerThreads.Completions);
        }
    }

    DeviceIOException Failure(Exception cause) => new(device, $"flush failed: {cause.Message}", isTransient: false, cause);

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
        CompletionCore source;

        public Waiter? Next { get; set; }

        public ValueTask Task => new(this, source.Version);

        public void Complete(Exception? failure, WorkerThreads? threads)
        {
            if (failure is null) source.SetResult(threads);
            else source.SetException(failure, threads);
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
