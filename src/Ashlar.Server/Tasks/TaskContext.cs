using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>What a task's work asks between its steps: whether it may go on, and how fast.</summary>
sealed class TaskContext(TimeProvider timeProvider, long? bytesPerSecond)
{
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1); // So that a pause, a new speed or the end is noticed soon.

    readonly Lock gate = new();
    TaskCompletionSource? paused;
    long? limit = bytesPerSecond;
    long beginning = timeProvider.GetTimestamp();
    long sinceBeginning;

    public CancellationTokenSource Stop { get; } = new();

    /// <summary>Its pool is closed, or the server ends: nothing may be waited for.</summary>
    public CancellationTokenSource Closing { get; } = new();

    /// <summary>Whether somebody does not want it any more; not where its pool is closed, or the server ends.</summary>
    public bool IsUnwanted { get; private set; }

    /// <summary>Its pool is closed, or the server ends.</summary>
    public void Close()
    {
        Closing.Cancel();
        Stop.Cancel();
        Pause(isPaused: false);
    }

    /// <summary>Somebody does not want it any more.</summary>
    public void Withdraw()
    {
        IsUnwanted = true;
        Stop.Cancel();
        Pause(isPaused: false);
    }

    public bool IsPaused
    {
        get
        {
            lock (gate) return paused is not null;
        }
    }

    /// <summary>How fast it may be; null for as fast as it can.</summary>
    public long? BytesPerSecond
    {
        get
        {
            lock (gate) return limit;
        }
    }

    /// <summary>Sets how fast it may be; null for as fast as it can.</summary>
    public void Limit(long? bytes)
    {
        lock (gate)
        {
            limit = bytes;
            (beginning, sinceBeginning) = (timeProvider.GetTimestamp(), 0);
        }
    }

    public void Pause(bool isPaused)
    {
        lock (gate)
        {
            if (isPaused == paused is not null) return;
            if (isPaused)
            {
                paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
                return;
            }
            paused!.SetResult();
            paused = null;
            (beginning, sinceBeginning) = (timeProvider.GetTimestamp(), 0); // Nothing is made up for.
        }
    }

    /// <summary>Waits until the next step may begin, after one of so many bytes.</summary>
    public async ValueTask PaceAsync(long bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate) sinceBeginning += bytes;
        while (WhatHolds() is var (untilResumed, wait) && (untilResumed is not null || wait > TimeSpan.Zero))
        {
            if (untilResumed is not null) await untilResumed.WaitAsync(cancellationToken);
            else await Task.Delay(wait < LongestWait ? wait : LongestWait, timeProvider, cancellationToken);
        }
    }

    /// <summary>For who asks again: how long nothing may be done after so many bytes, as it looks now.</summary>
    public TimeSpan WaitAfter(long bytes)
    {
        lock (gate) sinceBeginning += bytes;
        var (untilResumed, wait) = WhatHolds();
        return untilResumed is null ? wait : LongestWait;
    }

    (Task? UntilResumed, TimeSpan Wait) WhatHolds()
    {
        lock (gate)
        {
            if (paused is not null) return (paused.Task, default);
            if (limit is not { } most) return (null, default);
            Invariant.Require(most > 0);
            return (null, TimeSpan.FromSeconds((double)sinceBeginning / most) - timeProvider.GetElapsedTime(beginning));
        }
    }
}
