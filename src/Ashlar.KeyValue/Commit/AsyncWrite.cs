using System.Threading.Tasks.Sources;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// A write whose caller does not block. Instances are pooled, with the batch of their own that single puts are encoded into.
/// </summary>
/// <remarks>
/// Whether it is committed or cancelled is decided once, by whoever changes <c>fate</c> first: the leader that takes the group,
/// or the caller's token. A cancelled one stays in its group's list until the leader has passed it, so it is reused only
/// when both the caller and the group have let go.
/// </remarks>
sealed class AsyncWrite(Action<AsyncWrite> recycle) : PendingWrite, IValueTaskSource
{
    const int KeptBatchBytes = 64 << 10;
    const int None = int.MinValue;
    const int Waiting = 0, Taken = 1, Cancelled = 2;

    CompletionCore completion; // Continuations run where it is completed: in the group's work item.
    CancellationTokenRegistration registration;
    CancellationToken token;
    int fate;
    int holders;
    int awaited; // The version of the task that is out; None once its result was taken.
    bool isWatched;

    /// <summary>For a single put or delete.</summary>
    public WriteBatch OwnBatch { get; } = new();

    /// <summary>Call before it is queued.</summary>
    public ValueTask Start(bool mayBeCancelled)
    {
        isWatched = mayBeCancelled;
        fate = Waiting;
        holders = 2;
        awaited = completion.Version;
        return new ValueTask(this, completion.Version);
    }

    /// <summary>
    /// From here on the token may cancel it. Call it once it is queued; a token that was cancelled meanwhile acts at once.
    /// </summary>
    public void Watch(CancellationToken cancellationToken)
    {
        token = cancellationToken;
        registration = cancellationToken.UnsafeRegister(static write => ((AsyncWrite)write!).Cancel(), this);
    }

    /// <summary>The leader asks: is it to be committed? After that it cannot be cancelled.</summary>
    public bool TryTake() => !isWatched || Interlocked.CompareExchange(ref fate, Taken, Waiting) == Waiting;

    /// <summary>The group is done with it.</summary>
    public void Complete(Exception? error)
    {
        if (Volatile.Read(ref fate) != Cancelled)
        {
            Batch?.EndWrite(); // Before the caller knows: it may change the batch at once.
            if (error is null) completion.SetResult(threads: null);
            else completion.SetException(error, threads: null);
        }

        LetGo();
    }

    void Cancel()
    {
        if (Interlocked.CompareExchange(ref fate, Cancelled, Waiting) != Waiting) return;
        Batch?.EndWrite(); // No leader looks at it any more.
        completion.SetException(new OperationCanceledException(token), WorkerThreads.Completions); // Not on that of whoever cancels.
    }

    // A task that is consumed twice, or before it is done, is an error of its caller, who learns it. Nothing is touched: the object may be
    // somebody else's by now, whose write would be given up, or counted as left.
    void IValueTaskSource.GetResult(short version)
    {
        if (completion.GetStatus(version) == ValueTaskSourceStatus.Pending)
            throw new InvalidOperationException("The result was asked for before it was there.");
        if (Interlocked.CompareExchange(ref awaited, None, version) != version)
            throw new InvalidOperationException("The operation of this token has been awaited already.");
        try
        {
            completion.GetResult(version);
        }
        finally
        {
            // Waits for a cancellation that is under way on another thread, except on its own.
            registration.Dispose();
            registration = default;
            LetGo();
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short version) => completion.GetStatus(version);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short version, ValueTaskSourceOnCompletedFlags flags) =>
        completion.OnCompleted(continuation, state, version, flags);

    void LetGo()
    {
        if (Interlocked.Decrement(ref holders) != 0) return;
        completion.Reset();
        Forget();
        token = default;
        OwnBatch.Clear();
        OwnBatch.Trim(KeptBatchBytes);
        recycle(this);
    }
}
