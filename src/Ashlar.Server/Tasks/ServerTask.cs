using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>Work that takes long, begun by a request that does not wait for it.</summary>
sealed class ServerTask
{
    /// <summary>All of the file store, as something that a task works on.</summary>
    public const string Files = "files";

    readonly TimeProvider timeProvider;
    readonly ITaskWork work;
    readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile string? outcome;
    string? failure;
    DateTimeOffset? endedAt;

    public ServerTask(string id, string? pool, string? subject, ITaskWork work, long? bytesPerSecond, TimeProvider timeProvider)
    {
        this.timeProvider = timeProvider;
        this.work = work;
        (Id, Pool, Subject) = (id, pool, subject);
        Context = new TaskContext(timeProvider, bytesPerSecond);
        StartedAt = timeProvider.GetUtcNow();
    }

    /// <summary>A number, as text; of one life of the server.</summary>
    public string Id { get; }

    /// <summary>The pool that it works on; null where it works on files.</summary>
    public string? Pool { get; }

    /// <summary>What of the file store it works on; null where it works on a pool.</summary>
    public string? Subject { get; }

    /// <summary>What it works on, in words.</summary>
    public string Object => Pool is { } pool ? $"pool {pool}" : Subject == Files ? "the file store" : $"storage node {Subject}";

    public DateTimeOffset StartedAt { get; }

    public TaskContext Context { get; }

    public bool HasEnded => outcome is not null;

    /// <summary>Completes when it has ended, however it did.</summary>
    public Task Ended => ended.Task;

    /// <summary>Works to the end.</summary>
    public async Task RunAsync()
    {
        var how = TaskStates.Done;
        try
        {
            await work.RunAsync(Context);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            how = TaskStates.Cancelled; // The latter: its pool was closed.
        }
        catch (Exception e)
        {
            (how, failure) = (TaskStates.Failed, e is AshlarException ? e.Message : "unexpected; the server's log says more");
            if (e is not AshlarException) throw;
        }
        finally
        {
            endedAt = timeProvider.GetUtcNow();
            outcome = how;
            ended.TrySetResult();
        }
    }

    /// <summary>What it is, for the API.</summary>
    public TaskInfo Describe()
    {
        var state = outcome;
        var progress = work.Progress;
        return new()
        {
            Id = Id,
            Type = work.Type,
            Pool = Pool,
            Subject = Subject,
            State = state ?? (Context.IsPaused ? TaskStates.Paused : TaskStates.Running),
            StartedAt = StartedAt,
            EndedAt = state is null ? null : endedAt,
            TotalBytes = progress.TotalBytes,
            DoneBytes = progress.DoneBytes,
            BytesPerSecond = Context.BytesPerSecond,
            Failure = state is null ? null : failure,
            Report = progress.Report,
            Findings = progress.Findings,
            Volumes = progress.Volumes,
            Stripes = progress.Stripes,
        };
    }
}
