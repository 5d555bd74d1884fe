using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace Ashlar.Storage;

/// <summary>
/// What an <see cref="IValueTaskSource"/> for one waiter is made of that is used again and again without allocating: as
/// <see cref="ManualResetValueTaskSourceCore{TResult}"/>, but no continuation ever gets to the .NET thread pool.
/// </summary>
/// <remarks>A mutable struct: keep it in a field that is not readonly.</remarks>
[StructLayout(LayoutKind.Auto)]
[SuppressMessage("Performance", "CA1815", Justification = "Nobody compares two of them.")]
public struct CompletionCore
{
    // Stands in the place of a continuation once the source is completed and nobody had registered one.
    static readonly Action<object?> Completed = static _ => Invariant.Require(false, "A marker was run as a continuation.");

    Continuation continuation;
    Action<object?>? registered;
    ExceptionDispatchInfo? error;
    bool isCompleted;

    /// <summary>The token of the present use.</summary>
    public short Version { get; private set; }

    /// <summary>Prepares for the next use.</summary>
    public void Reset()
    {
        Version++;
        continuation = default;
        error = null;
        isCompleted = false;
        Volatile.Write(ref registered, null);
    }

    /// <summary>
    /// Completes it. The waiter goes on on <paramref name="threads"/>; null: on this thread, before the call returns, which is right
    /// only for a thread that nobody else needs meanwhile.
    /// </summary>
    public void SetResult(WorkerThreads? threads) => Complete(null, threads);

    /// <summary>As <see cref="SetResult"/>, with a failure.</summary>
    public void SetException(Exception failure, WorkerThreads? threads) => Complete(ExceptionDispatchInfo.Capture(failure), threads);

    /// <inheritdoc cref="IValueTaskSource.GetStatus" />
    public readonly ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        if (Volatile.Read(in registered) is null || !Volatile.Read(in isCompleted)) return ValueTaskSourceStatus.Pending;
        if (error is null) return ValueTaskSourceStatus.Succeeded;
        return error.SourceException is OperationCanceledException ? ValueTaskSourceStatus.Canceled : ValueTaskSourceStatus.Faulted;
    }

    /// <inheritdoc cref="IValueTaskSource.GetResult" />
    public readonly void GetResult(short token)
    {
        Check(token);
        if (!Volatile.Read(in isCompleted)) throw new InvalidOperationException("The result was asked for before it was there.");
        error?.Throw();
    }

    /// <inheritdoc cref="IValueTaskSource.OnCompleted" />
    public void OnCompleted(Action<object?> action, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        var captured = Continuation.Capture(action, state, flags);
        if (registered is null)
        {
            continuation = captured;
            if (Interlocked.CompareExchange(ref registered, action, null) is null) return;
        }

        if (!ReferenceEquals(registered, Completed)) throw new InvalidOperationException("A second waiter: there can be but one.");
        captured.Run(WorkerThreads.Completions); // Completed since the caller looked. Not at once, or the stack could grow without end.
    }

    // Order: a waiter that registers before the exchange is run here; one that comes later finds the marker and runs itself.
    void Complete(ExceptionDispatchInfo? failure, WorkerThreads? threads)
    {
        Invariant.Require(!isCompleted);
        error = failure;
        Volatile.Write(ref isCompleted, true);
        if (Interlocked.CompareExchange(ref registered, Completed, null) is null) return;
        var waiter = continuation; // A copy: the waiter may prepare the source for its next use at once.
        waiter.Run(threads);
    }

    readonly void Check(short token)
    {
        if (token != Version) throw new InvalidOperationException("The operation of this token has been awaited already.");
    }
}
