using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace Ashlar.Storage;

/// <summary>
/// Something that ends once and that any number of callers wait for, each of whom goes on on <see cref="WorkerThreads.Completions"/>:
/// a <see cref="TaskCompletionSource"/> that does without the .NET thread pool.
/// </summary>
/// <remarks>
/// Completing it runs nobody's code, so that a thread may do so that holds a lock or must go on. Unlike other value tasks
/// <see cref="Task"/> may be awaited by many at the same time, and more than once.
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
    public void SetResult() => Complete(null);

    /// <summary>It failed; every waiter gets <paramref name="failure"/>.</summary>
    public void SetException(Exception failure) => Complete(ExceptionDispatchInfo.Capture(failure));

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

    void Complete(ExceptionDispatchInfo? failure)
    {
        using (gate.Hold())
        {
            Invariant.Require(!isCompleted);
            error = failure;
            Volatile.Write(ref isCompleted, true);
        }

        // Nobody adds to the list any more.
        if (hasWaiter) first.Run(WorkerThreads.Completions);
        foreach (var waiter in waiters ?? []) waiter.Run(WorkerThreads.Completions);
        (first, waiters) = (default, null);
    }
}
