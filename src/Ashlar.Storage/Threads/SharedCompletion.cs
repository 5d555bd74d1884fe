using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace Ashlar.Storage;

/// <summary>
/// Something that ends once and that any number of callers wait for, each of whom goes on on <see cref="WorkerThreads.Completions"/>:
/// a <see cref="TaskCompletionSource"/> that does without the .NET thread pool.
/// </summary>
/// <remarks>
/// <see cref="SetResult"/> and <see cref="SetException"/> run nobody's code, so that a thread may call them that holds a lock or must
/// go on. Unlike other value tasks <see cref="Task"/> may be awaited by many at the same time, and more than once.
/// </remarks>
public sealed class SharedCompletion : IValueTaskSource
{
    readonly Lock gate = new();
    List<Continuation>? waiters;
    Continuation first;
    bool hasWaiter;
    bool isCompleted;
    ExceptionDispatchInfo? error;

    /// <summary>Ends when this does.</summary>
    public ValueTask Task => new(this, 0);

    /// <summary>Whether it has ended, well or not.</summary>
    public bool IsCompleted => Volatile.Read(ref isCompleted);

    /// <summary>It is done.</summary>
    public void SetResult() => Complete(null, lastGoesOnHere: false);

    /// <summary>It failed; every waiter gets <paramref name="failure"/>.</summary>
    public void SetException(Exception failure) => Complete(failure, lastGoesOnHere: false);

    /// <summary>It has ended, where <paramref name="failure"/> is null well.</summary>
    /// <param name="failure">What every waiter gets.</param>
    /// <param name="lastGoesOnHere">
    /// Whether one of the waiters goes on on this thread, before the call returns, when all others have been seen to: right only for a
    /// thread that nobody needs meanwhile.
    /// </param>
    public void Complete(Exception? failure, bool lastGoesOnHere)
    {
        using (gate.Hold())
        {
            Invariant.Require(!isCompleted);
            if (failure is not null) error = ExceptionDispatchInfo.Capture(failure);
            Volatile.Write(ref isCompleted, true);
        }

        // Nobody adds to the list any more.
        if (!hasWaiter) return;
        foreach (var waiter in waiters ?? []) waiter.Run(WorkerThreads.Completions);
        var last = first;
        (first, waiters) = (default, null);
        last.Run(lastGoesOnHere ? null : WorkerThreads.Completions);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token)
    {
        if (!IsCompleted) return ValueTaskSourceStatus.Pending;
        if (error is null) return ValueTaskSourceStatus.Succeeded;
        return error.SourceException is OperationCanceledException ? ValueTaskSourceStatus.Canceled : ValueTaskSourceStatus.Faulted;
    }

    void IValueTaskSource.GetResult(short token)
    {
        if (!IsCompleted) throw new InvalidOperationException("The result was asked for before it was there.");
        error?.Throw();
    }

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        var waiter = Continuation.Capture(continuation, state, flags);
        using (gate.Hold())
        {
            if (!isCompleted)
            {
                if (hasWaiter) (waiters ??= []).Add(waiter);
                else (first, hasWaiter) = (waiter, true);
                return;
            }
        }

        waiter.Run(WorkerThreads.Completions);
    }
}
