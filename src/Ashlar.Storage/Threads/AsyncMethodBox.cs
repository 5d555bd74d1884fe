using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Ashlar.Storage;

/// <summary>The state of one call of an async method that has had to wait, and what its caller waits for.</summary>
abstract class AsyncMethodBox<TResult> : IValueTaskSource, IValueTaskSource<TResult>
{
    CompletionCore core;
    TResult? result;

    protected AsyncMethodBox() => Resume = MoveNext;

    /// <summary>Goes on with the method; made once for each box.</summary>
    public Action Resume { get; }

    public short Version => core.Version;

    // The caller goes on right here, as it does after any async method: this is the thread that has carried the method to its end.
    public void SetResult(TResult value)
    {
        result = value;
        core.SetResult(null);
    }

    public void SetException(Exception failure) => core.SetException(failure, null);

    public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);

    public TResult GetResult(short token)
    {
        core.GetStatus(token); // A token of an earlier use must not recycle the box.
        try
        {
            core.GetResult(token);
            return result!;
        }
        finally
        {
            result = default;
            core.Reset();
            Recycle();
        }
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    protected abstract void MoveNext();

    protected abstract void Recycle();
}

/// <summary>A box for one method; boxes are used again.</summary>
sealed class AsyncMethodBox<TStateMachine, TResult> : AsyncMethodBox<TResult>
    where TStateMachine : IAsyncStateMachine
{
    const int MaxIdle = 256; // As many calls as commonly wait at a time.

    static readonly Lock Gate = new();
    static AsyncMethodBox<TStateMachine, TResult>? idle;
    static int idleCount;

    TStateMachine? method;
    AsyncMethodBox<TStateMachine, TResult>? next;

    /// <summary>The box of a call: rented, with the state of the method put into it, when the call first waits.</summary>
    /// <param name="box">Where the builder, which is a part of that state, keeps it.</param>
    /// <param name="stateMachine">The state; from then on the one in the box is the call's.</param>
    public static AsyncMethodBox<TResult> Of(ref AsyncMethodBox<TResult>? box, ref TStateMachine stateMachine)
    {
        if (box is not null) return box;
        var rented = Rent();
        box = rented;
        rented.method = stateMachine; // Last: the copy contains the builder with its box.
        return rented;
    }

    protected override void MoveNext() => method!.MoveNext();

    protected override void Recycle()
    {
        method = default;
        using (Gate.Hold())
        {
            if (idleCount == MaxIdle) return;
            idleCount++;
            next = idle;
            idle = this;
        }
    }

    static AsyncMethodBox<TStateMachine, TResult> Rent()
    {
        using (Gate.Hold())
        {
            if (idle is not { } box) return new AsyncMethodBox<TStateMachine, TResult>();
            idleCount--;
            idle = box.next;
            box.next = null;
            return box;
        }
    }
}
