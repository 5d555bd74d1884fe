using System.Threading.Tasks.Sources;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// A request that waits in a queue. It is taken out of the queue before it is let in or given up, so it ends once; and it goes on on
/// <see cref="WorkerThreads.Completions"/>, for whoever lets it in has a request of its own to answer.
/// </summary>
abstract class QueuedRequest : IValueTaskSource
{
    CompletionCore completion;

    /// <summary>Ends when it is let in. To be awaited once.</summary>
    public ValueTask Turn => new(this, completion.Version);

    public void Enter() => completion.SetResult(WorkerThreads.Completions);

    public void GiveUp(CancellationToken cancellationToken) =>
        completion.SetException(new OperationCanceledException(cancellationToken), WorkerThreads.Completions);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => completion.GetStatus(token);

    void IValueTaskSource.GetResult(short token) => completion.GetResult(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        completion.OnCompleted(continuation, state, token, flags);
}
