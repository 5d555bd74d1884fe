using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// What a pool does by itself and may take long, one piece after the other. A piece that has no room now is tried again; one
/// that fails is reported, ends, and keeps nothing after it from running. Stopping never fails.
/// </summary>
sealed class BackgroundWork : IAsyncDisposable
{
    static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    readonly PoolEvents events;
    readonly TimeProvider clock;
    readonly SerialWorker worker; // Writers wait for the space that it gives back.
    readonly Lock gate = new();
    readonly CancellationTokenSource stopping = new();
    readonly Queue<Piece> waiting = new();
    readonly List<SharedCompletion> waitersForIdle = [];
    Task last = Task.CompletedTask;
    bool isBusy;
    bool isEnding;

    public BackgroundWork(PoolEvents events, TimeProvider clock)
    {
        (this.events, this.clock) = (events, clock);
        worker = new SerialWorker(() =>
        {
            while (TryTake(out var piece)) Run(piece);
            return default;
        });
    }

    /// <summary>Whether something runs or waits to run.</summary>
    public bool IsBusy => Volatile.Read(ref isBusy);

    /// <summary>Completes, or fails, with what was asked for last.</summary>
    public Task Idle
    {
        get
        {
            lock (gate) return last;
        }
    }

    /// <summary>Runs something when everything before it has ended. It must be able to begin anew after it failed or was stopped.</summary>
    /// <param name="what">For the report of a failure: "giving back the space of a deleted volume".</param>
    /// <param name="volume">Name of the volume that it concerns, or null.</param>
    /// <param name="action">The work. The thread on which it begins waits for it.</param>
    public Task Enqueue(string what, string? volume, Func<CancellationToken, ValueTask> action)
    {
        lock (gate)
        {
            if (isEnding) return Task.FromCanceled(new CancellationToken(canceled: true));
            var piece = new Piece(what, volume, action, new TaskCompletionSource());
            worker.Wake(); // First: if it cannot, nothing was asked for. It gets the gate after us.
            waiting.Enqueue(piece);
            Volatile.Write(ref isBusy, true);
            return last = piece.Completion.Task;
        }
    }

    /// <summary>Waits until nothing runs or waits to run, but for no longer than a while.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WaitAsync(TimeSpan patience)
    {
        var end = new SharedCompletion();
        lock (gate)
        {
            if (!isBusy) return;
            waitersForIdle.Add(end);
        }

        using var timer = clock.CreateTimer(_ => GiveUp(end), null, patience, Timeout.InfiniteTimeSpan);
        await end.Task;
    }

    /// <summary>Ends what runs at its next step; what remains is for the next opening.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (gate) isEnding = true;
        stopping.Cancel();
        await WaitAsync(Timeout.InfiniteTimeSpan);
        worker.Dispose();
        stopping.Dispose();
    }

    void GiveUp(SharedCompletion waiter)
    {
        bool isWaiting;
        lock (gate) isWaiting = waitersForIdle.Remove(waiter);
        if (isWaiting) waiter.SetResult();
    }

    bool TryTake([NotNullWhen(true)] out Piece? piece)
    {
        SharedCompletion[] idle;
        lock (gate)
        {
            if (waiting.TryDequeue(out piece)) return true;
            Volatile.Write(ref isBusy, false);
            idle = [.. waitersForIdle];
            waitersForIdle.Clear();
        }

        foreach (var waiter in idle) waiter.SetResult();
        return false;
    }

    // The completions are told on other threads: whoever waits for one may do anything, such as close the pool.
    [SuppressMessage("Design", "CA1031", Justification = "It is what the waiter is told, and is reported.")]
    void Run(Piece piece)
    {
        try
        {
            while (!TryRun(piece))
            {
                Pause();
                if (TryPutBack(piece)) return; // What waits behind it may make room.
            }

            WorkerThreads.Completions.Post(static done => done.SetResult(), piece.Completion);
        }
        catch (OperationCanceledException)
        {
            WorkerThreads.Completions.Post(static done => done.SetCanceled(), piece.Completion);
        }
        catch (Exception cause)
        {
            events.Report(
                PoolEventKind.Volume,
                PoolEventSeverity.Warning,
                $"{piece.What} did not come to its end; it is tried again when the pool is opened: {cause.Message}",
                piece.Volume,
                cause);
            WorkerThreads.Completions.Post(
                failed =>
                {
                    failed.SetException(cause);
                    _ = failed.Task.Exception; // Seen: whoever does not wait for it reads of its failure in the event.
                },
                piece.Completion);
        }
    }

    bool TryRun(Piece piece)
    {
        stopping.Token.ThrowIfCancellationRequested();
        try
        {
            piece.Action(stopping.Token).AsTask().GetAwaiter().GetResult();
            return true;
        }
        catch (DeviceFullException full)
        {
            events.ReportOnce(
                PoolEventKind.Volume,
                PoolEventSeverity.Warning,
                $"{piece.What}/{piece.Volume}",
                $"{piece.What} waits for space: {full.Message}",
                piece.Volume,
                full);
            return false;
        }
    }

    bool TryPutBack(Piece piece)
    {
        lock (gate)
        {
            if (waiting.Count == 0) return false;
            waiting.Enqueue(piece);
            return true;
        }
    }

    void Pause()
    {
        var isOver = new ManualResetEventSlim();
        using var timer = clock.CreateTimer(_ => isOver.Set(), null, RetryDelay, Timeout.InfiniteTimeSpan);
        isOver.Wait(stopping.Token);
    }

    sealed record Piece(string What, string? Volume, Func<CancellationToken, ValueTask> Action, TaskCompletionSource Completion);
}
