using System.Threading.Tasks.Sources;

namespace Ashlar.Storage;

/// <summary>Work that somebody waits for.</summary>
sealed class AwaitedWork<T>(Action<T> action, T state) : IThreadPoolWorkItem, IValueTaskSource
{
    CompletionCore source;

    public ValueTask Task => new(this, source.Version);

    public void Execute()
    {
        try
        {
            action(state);
        }
        catch (Exception e)
        {
            source.SetException(e, null);
            return;
        }

        source.SetResult(null);
    }

    public ValueTaskSourceStatus GetStatus(short token) => source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);

    public void GetResult(short token) => source.GetResult(token);
}
