using System.Globalization;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>The tasks of a server: those that run, and the last of those that have ended. Of one life: a restart forgets them.</summary>
sealed class ServerTasks(Action<LogEntry> report, TimeProvider timeProvider) : IAsyncDisposable
{
    /// <summary>How many of those that have ended are kept.</summary>
    const int MaxEnded = 100;

    /// <summary>How many may run at once.</summary>
    const int MaxRunning = 16;

    readonly Lock gate = new();
    readonly List<ServerTask> all = [];
    long lastId;
    bool isClosed;

    /// <summary>All that are known, the oldest first.</summary>
    public IReadOnlyList<ServerTask> All
    {
        get
        {
            lock (gate) return [.. all];
        }
    }

    /// <exception cref="ApiException">There is none of that number.</exception>
    public ServerTask Get(string id) =>
        All.FirstOrDefault(task => task.Id == id) ?? throw new ApiException(ProblemKind.TaskNotFound, $"there is no task {id}");

    /// <summary>Begins a task.</summary>
    /// <param name="pool">The pool that it works on.</param>
    /// <param name="work">What it does.</param>
    /// <param name="bytesPerSecond">How fast it may be.</param>
    /// <param name="by">Address of who asks for it, for the log.</param>
    /// <exception cref="ApiException">One of its kind works on that pool, or too many run.</exception>
    public ServerTask Start(string pool, ITaskWork work, long? bytesPerSecond, string by) =>
        Start(pool, null, work, bytesPerSecond, by);

    /// <summary>Begins a task of the file store.</summary>
    /// <param name="subject">What of it: a storage node, or <see cref="ServerTask.Files"/>.</param>
    /// <param name="work">What it does.</param>
    /// <param name="bytesPerSecond">How fast it may be.</param>
    /// <param name="by">Who asks for it, for the log.</param>
    /// <exception cref="ApiException">One of its kind works on that, or too many run.</exception>
    public ServerTask StartOfFiles(string subject, ITaskWork work, long? bytesPerSecond, string by) =>
        Start(null, subject, work, bytesPerSecond, by);

    ServerTask Start(string? pool, string? subject, ITaskWork work, long? bytesPerSecond, string by)
    {
        ServerTask task;
        lock (gate)
        {
            if (isClosed) throw new ApiException(ProblemKind.Unavailable, "the server is stopping");
            var running = all.Where(each => !each.HasEnded).ToArray();
            if (running.FirstOrDefault(each => each.Pool == pool && each.Subject == subject && each.Describe().Type == work.Type) is
                { } same)
                throw new ApiException(ProblemKind.Exists, $"task {same.Id} does that already: {work.Type} of {same.Object}");
            if (running.Length >= MaxRunning)
                throw new ApiException(ProblemKind.InUse, $"{running.Length} tasks run already; wait for one");
            var id = string.Create(CultureInfo.InvariantCulture, $"{++lastId}");
            task = new ServerTask(id, pool, subject, work, bytesPerSecond, timeProvider);
            all.Add(task);
            while (all.Count(each => each.HasEnded) > MaxEnded) all.Remove(all.First(each => each.HasEnded));
        }
        Tell(LogLevel.Information, LogEvents.TaskStarted, task, $"started, by {by}");
        _ = RunAsync(task);
        return task;
    }

    /// <summary>Ends the tasks that work on a pool, and waits for that: it is about to be closed.</summary>
    public Task EndAsync(string pool) => EndAsync(task => task.Pool == pool);

    /// <summary>Ends the tasks that work on a part of the file store, and waits for that.</summary>
    public Task EndOfFilesAsync(string subject) => EndAsync(task => task.Subject == subject);

    async Task EndAsync(Func<ServerTask, bool> isMine)
    {
        var mine = All.Where(task => isMine(task) && !task.HasEnded).ToArray();
        foreach (var task in mine) task.Context.Close();
        foreach (var task in mine) await task.Ended;
    }

    public async ValueTask DisposeAsync()
    {
        lock (gate) isClosed = true;
        var running = All.Where(task => !task.HasEnded).ToArray();
        foreach (var task in running) task.Context.Close();
        foreach (var task in running) await task.Ended;
    }

    async Task RunAsync(ServerTask task)
    {
        try
        {
            await Task.Run(task.RunAsync);
        }
        catch (Exception e)
        {
            Tell(LogLevel.Error, LogEvents.Bug, task, $"failed: {FailureLine.Of(e)}");
        }
        var end = task.Describe();
        var found = end.Findings is { Count: > 0 and var count } ? $", {count} {(count == 1 ? "finding" : "findings")}" : "";
        var level = end.Failure is not null || found.Length > 0 ? LogLevel.Warning : LogLevel.Information;
        Tell(level, LogEvents.TaskEnded, task, $"{end.State}{(end.Failure is { } failure ? $": {failure}" : "")}{found}");
        foreach (var finding in end.Findings?.Take(10) ?? []) Tell(LogLevel.Warning, LogEvents.TaskEnded, task, finding);
    }

    void Tell(LogLevel level, string name, ServerTask task, string what) =>
        report(new(level, name, $"task {task.Id}: {task.Describe().Type} of {task.Object}: {what}") { Pool = task.Pool });
}
