using Ashlar.Files;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// What is done for the file store by the clock, as tasks: each is begun only where there is something to do, and only if none of its kind
/// runs. After any time without it each is begun once.
/// </summary>
sealed class FileUpkeep : IAsyncDisposable
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    const string By = "schedule";

    static readonly TimeSpan
        CollectEvery = TimeSpan.FromMinutes(1),
        RepairEvery = TimeSpan.FromMinutes(1),
        ReplaceEvery = TimeSpan.FromMinutes(10),
        SweepEvery = TimeSpan.FromDays(1),
        ScrubEvery = TimeSpan.FromDays(7);

    readonly FileStore store;
    readonly ServerTasks tasks;
    readonly Action<LogEntry> report;
    readonly TimeProvider clock;
    readonly ITimer timer;
    readonly CancellationTokenSource closing = new();
    readonly SemaphoreSlim turn = new(1, 1);
    readonly Dictionary<string, long> begun = new(StringComparer.Ordinal); // When each was last looked for. In the turn.
    bool isDisposed; // In the turn.

    public FileUpkeep(FileStore store, ServerTasks tasks, Action<LogEntry> report)
    {
        (this.store, this.tasks, this.report, clock) = (store, tasks, report, store.Options.TimeProvider);
        // What costs much does not begin with the server.
        foreach (var node in store.Nodes.All) begun[$"scrub {node.Name}"] = clock.GetTimestamp();
        foreach (var costly in (string[])["sweep", "raise"]) begun[costly] = clock.GetTimestamp();
        timer = clock.CreateTimer(static upkeep => _ = ((FileUpkeep)upkeep!).LookUnlessBusyAsync(), this, Interval, Interval);
    }

    /// <summary>Waits for the look that is under way. Tasks are ended by who has them.</summary>
    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await closing.CancelAsync();
        await turn.WaitAsync();
        isDisposed = true;
        turn.Release();
        closing.Dispose();
    }

    /// <summary>Looks now, or after the look that is under way.</summary>
    public async Task LookAsync()
    {
        await turn.WaitAsync();
        try
        {
            if (!isDisposed) await LookAsync(closing.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The server ends.
        }
        catch (AshlarException e)
        {
            report(new(LogLevel.Warning, LogEvents.FilesUpkeepFailed, $"files: upkeep: {e.Message}"));
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Begins to empty a node, or goes on with that.</summary>
    public ServerTask StartDrain(ServedNode node, string by) =>
        tasks.StartOfFiles(node.Name, new DrainNodeWork(store, node), null, by);

    /// <summary>Begins to make the copies of a lost node anew.</summary>
    public ServerTask StartReplace(ServedNode node, string by) =>
        tasks.StartOfFiles(node.Name, new ReplaceNodeWork(store, node), null, by);

    // A look that takes longer than the interval is not followed by a queue of others.
    Task LookUnlessBusyAsync() => turn.CurrentCount == 0 ? Task.CompletedTask : LookAsync();

    async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var node in await store.Nodes.LookAsync(cancellationToken)) Start(node.Name, new CompareNodeWork(store, node));
        await store.RefreshAsync(cancellationToken);
        foreach (var node in store.Nodes.All)
        {
            if (node.Record.NodeId is not { } id) continue;
            if (store.Nodes.Storage.IsLost(id))
            {
                if (IsDue($"replace {node.Name}", ReplaceEvery) && await HasBlocksAsync(id, cancellationToken))
                    Start(node.Name, new ReplaceNodeWork(store, node));
            }
            else if (node.Record.Stage == NodeStage.Draining)
            {
                if (IsDue($"drain {node.Name}", ReplaceEvery) && await HasBlocksAsync(id, cancellationToken))
                    Start(node.Name, new DrainNodeWork(store, node));
            }

            if (!node.WasAway && IsDue($"scrub {node.Name}", ScrubEvery)) Start(node.Name, new ScrubNodeWork(store, node));
        }

        // What was written when there were fewer nodes is to get as many copies as what is written now.
        if (store.Nodes.Storage.HasGrown && IsDue("raise", RepairEvery)) Start(ServerTask.Files, new RepairFilesWork(store));
        if (IsDue("repair", RepairEvery) && await LacksCopiesAsync(cancellationToken)) Start(ServerTask.Files, new RepairFilesWork(store));
        if (IsDue("collect", CollectEvery)) Start(ServerTask.Files, new CollectFilesWork(store));
        if (IsDue("sweep", SweepEvery)) Start(ServerTask.Files, new SweepNodesWork(store));
    }

    async Task<bool> LacksCopiesAsync(CancellationToken cancellationToken) =>
        store.Repair.ReportedCount > 0
        || (await store.Metadata.ListUnderReplicatedAsync(null, 1, cancellationToken)).Count > 0;

    async Task<bool> HasBlocksAsync(NodeId id, CancellationToken cancellationToken) =>
        (await store.Metadata.ListBlocksOfNodeAsync(id, null, 1, cancellationToken)).Count > 0;

    bool IsDue(string what, TimeSpan interval)
    {
        if (begun.TryGetValue(what, out var last) && clock.GetElapsedTime(last) < interval) return false;
        begun[what] = clock.GetTimestamp();
        return true;
    }

    void Start(string subject, ITaskWork work)
    {
        try
        {
            tasks.StartOfFiles(subject, work, null, By);
        }
        catch (ApiException)
        {
            // One of its kind runs, or too many others do: the next look may find that it does not.
        }
    }
}
