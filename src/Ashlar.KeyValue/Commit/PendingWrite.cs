using System.Threading.Tasks.Sources;

namespace Ashlar.KeyValue;

/// <summary>What a member of the commit queue asks the leader for.</summary>
enum CommitRequest
{
    /// <summary>Write a batch; without a batch, only make durable what is written.</summary>
    Write = 0,

    /// <summary>Start the next memtable, so that the current one becomes a table.</summary>
    RotateMemTable,

    /// <summary>Seal the log: the store closes.</summary>
    Close,
}

/// <summary>
/// A caller in the commit queue. A blocking caller waits on it and may be made leader; an asynchronous one is completed.
/// Instances are reused: one per blocking thread, a pool for asynchronous callers.
/// </summary>
sealed class PendingWrite : IValueTaskSource
{
    ManualResetValueTaskSourceCore<bool> completion = new() { RunContinuationsAsynchronously = true };
    Action<PendingWrite>? recycle;
    bool isSignalled;
    bool leads;

    public CommitRequest Request { get; private set; }

    public WriteBatch? Batch { get; private set; }

    public bool NeedsSync { get; private set; }

    public bool IsAsync { get; private set; }

    public Exception? Error { get; private set; }

    public int LengthBytes => Batch?.LengthBytes ?? 0;

    public void Prepare(CommitRequest request, WriteBatch? batch, bool needsSync, Action<PendingWrite>? recycleAfterAsync)
    {
        Request = request;
        Batch = batch;
        NeedsSync = needsSync;
        Error = null;
        recycle = recycleAfterAsync;
        IsAsync = recycleAfterAsync is not null;
        isSignalled = false;
        leads = false;
    }

    public ValueTask AsValueTask() => new(this, completion.Version);

    /// <summary>Blocks until the write is done, or until this caller has become leader: then true.</summary>
    public bool WaitOrLead()
    {
        lock (this)
        {
            while (!isSignalled) Monitor.Wait(this);
            return leads;
        }
    }

    public void MakeLeader()
    {
        lock (this)
        {
            leads = true;
            isSignalled = true;
            Monitor.Pulse(this);
        }
    }

    public void Complete(Exception? error)
    {
        Batch = null;
        if (IsAsync)
        {
            if (error is null) completion.SetResult(true);
            else completion.SetException(error);
            return;
        }

        lock (this)
        {
            Error = error;
            leads = false;
            isSignalled = true;
            Monitor.Pulse(this);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            completion.GetResult(token);
        }
        finally
        {
            completion.Reset();
            recycle!(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => completion.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        completion.OnCompleted(continuation, state, token, flags);
}
