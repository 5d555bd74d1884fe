using System.Threading.Tasks.Sources;

namespace Ashlar.Storage;

/// <summary>What goes on when something is done, and where the caller wants it to go on.</summary>
/// <param name="Action">What to run.</param>
/// <param name="State">What to run it with.</param>
/// <param name="Context">The execution context to run it in, where the caller wants its own to flow.</param>
/// <param name="Home">The synchronisation context or the task scheduler of a caller that has one; null for none.</param>
readonly record struct Continuation(Action<object?> Action, object? State, ExecutionContext? Context, object? Home)
{
    public static Continuation Capture(Action<object?> action, object? state, ValueTaskSourceOnCompletedFlags flags) => new(
        action,
        state,
        Has(flags, ValueTaskSourceOnCompletedFlags.FlowExecutionContext) ? ExecutionContext.Capture() : null,
        Has(flags, ValueTaskSourceOnCompletedFlags.UseSchedulingContext) ? FindHome() : null);

    /// <summary>Runs it at the caller's home; without one on <paramref name="threads"/>, or where null on this thread, at once.</summary>
    public void Run(WorkerThreads? threads)
    {
        switch (Home)
        {
            case SynchronizationContext home:
                home.Post(static continuation => ((Continuation)continuation!).Invoke(), this);
                break;
            case TaskScheduler home:
                _ = Task.Factory.StartNew(
                    static continuation => ((Continuation)continuation!).Invoke(),
                    this,
                    CancellationToken.None,
                    TaskCreationOptions.DenyChildAttach,
                    home);
                break;
            default:
                if (threads is null) Invoke();
                else if (Context is null) threads.Post(Action, State);
                else threads.Post(static continuation => continuation.Invoke(), this);
                break;
        }
    }

    void Invoke()
    {
        if (Context is null) Action(State);
        else ExecutionContext.Run(Context, new ContextCallback(Action), State);
    }

    static bool Has(ValueTaskSourceOnCompletedFlags flags, ValueTaskSourceOnCompletedFlags flag) => (flags & flag) == flag;

    static object? FindHome()
    {
        if (SynchronizationContext.Current is { } context && context.GetType() != typeof(SynchronizationContext)) return context;
        return TaskScheduler.Current != TaskScheduler.Default ? TaskScheduler.Current : null;
    }
}
