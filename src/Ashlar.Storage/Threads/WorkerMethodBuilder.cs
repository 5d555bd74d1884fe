using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>
/// What async methods of the data plane are built with, by
/// <c>[AsyncMethodBuilder(typeof(WorkerMethodBuilder))]</c>: they allocate nothing, as with
/// <see cref="PoolingAsyncValueTaskMethodBuilder"/>, and their callers never go on on the .NET thread pool.
/// </summary>
/// <remarks>
/// <para>The builders of .NET go to the thread pool whenever a method ends just before its caller has registered its continuation.
/// With this one such a caller goes on on <see cref="WorkerThreads.Completions"/>; every other one on the thread on which the method
/// ends, as usual.</para>
/// <para>The execution context does not flow: what is kept in an <see cref="AsyncLocal{T}"/> is lost at the first wait. The task may
/// be awaited once. A <see cref="Task"/> that such a method awaits is .NET's, and may go on on the thread pool.</para>
/// </remarks>
[StructLayout(LayoutKind.Auto)]
[SuppressMessage("Performance", "CA1815", Justification = "Nobody compares two of them.")]
public struct WorkerMethodBuilder
{
    WorkerMethodBuilder<bool> inner;

    /// <summary>What the caller awaits.</summary>
    public ValueTask Task => inner.NoResultTask;

    /// <summary>For the compiler.</summary>
    public static WorkerMethodBuilder Create() => default;

    /// <summary>For the compiler.</summary>
    public void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => inner.Start(ref stateMachine);

    /// <summary>For the compiler.</summary>
    public void SetStateMachine(IAsyncStateMachine stateMachine) => inner.SetStateMachine(stateMachine);

    /// <summary>For the compiler.</summary>
    public void SetResult() => inner.SetResult(true);

    /// <summary>For the compiler.</summary>
    public void SetException(Exception exception) => inner.SetException(exception);

    /// <summary>For the compiler.</summary>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine => inner.AwaitOnCompleted(ref awaiter, ref stateMachine);

    /// <summary>For the compiler.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine => inner.AwaitUnsafeOnCompleted(ref awaiter, ref stateMachine);
}

/// <summary><see cref="WorkerMethodBuilder"/> for methods with a result.</summary>
[StructLayout(LayoutKind.Auto)]
[SuppressMessage("Performance", "CA1815", Justification = "Nobody compares two of them.")]
public struct WorkerMethodBuilder<TResult>
{
    AsyncMethodBox<TResult>? box;
    Exception? failure;
    TResult? result;

    /// <summary>What the caller awaits.</summary>
    [SuppressMessage("Design", "CA1000", Justification = "For the compiler.")]
    public readonly ValueTask<TResult> Task
    {
        get
        {
            if (box is not null) return new ValueTask<TResult>(box, box.Version);
            if (failure is null) return new ValueTask<TResult>(result!);
            return failure is OperationCanceledException { CancellationToken: { IsCancellationRequested: true } token }
                ? ValueTask.FromCanceled<TResult>(token)
                : ValueTask.FromException<TResult>(failure);
        }
    }

    internal readonly ValueTask NoResultTask
    {
        get
        {
            if (box is not null) return new ValueTask(box, box.Version);
            if (failure is null) return ValueTask.CompletedTask;
            return failure is OperationCanceledException { CancellationToken: { IsCancellationRequested: true } token }
                ? ValueTask.FromCanceled(token)
                : ValueTask.FromException(failure);
        }
    }

    /// <summary>For the compiler.</summary>
    [SuppressMessage("Design", "CA1000", Justification = "For the compiler.")]
    public static WorkerMethodBuilder<TResult> Create() => default;

    /// <summary>For the compiler.</summary>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        // Keeps what the method does to the contexts of its thread from the caller, and touches nothing of the other builder.
        AsyncValueTaskMethodBuilder.Create().Start(ref stateMachine);
    }

    /// <summary>For the compiler.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
        // Only for state machines that are classes, of builds for debugging; they are their own box.
    }

    /// <summary>For the compiler.</summary>
    public void SetResult(TResult value)
    {
        if (box is null) result = value;
        else box.SetResult(value);
    }

    /// <summary>For the compiler.</summary>
    public void SetException(Exception exception)
    {
        if (box is null) failure = exception;
        else box.SetException(exception);
    }

    /// <summary>For the compiler.</summary>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine =>
        awaiter.OnCompleted(AsyncMethodBox<TStateMachine, TResult>.Of(ref box, ref stateMachine).Resume);

    /// <summary>For the compiler.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine =>
        awaiter.UnsafeOnCompleted(AsyncMethodBox<TStateMachine, TResult>.Of(ref box, ref stateMachine).Resume);
}
