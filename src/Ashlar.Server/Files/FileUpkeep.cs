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

    /// <summary>How often nodes are compared with the metadata, and all blocks of each read.</summary>
    public static readonly TimeSpan SweepEvery = TimeSpan.FromDays(1), ScrubEvery = TimeSpan.FromDays(7);

    static readonly TimeSpan
        CollectEvery = TimeSpan.FromMinutes(1),
        RepairEvery = TimeSpan.FromMinutes(1),
        ReplaceEvery = TimeSpan.FromMinutes(10),
        NotesEvery = TimeSpan.FromMinutes(1);

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
        begun["raise"] = clock.GetTimestamp();
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
    public ServerTask StartDrain(ServedNode node, long? bytesPerSecond, string by) =>
        tasks.StartOfFiles(node.Name, new DrainNodeWork(store, node), bytesPerSecond, by);

    /// <summary>Begins to make the copies of a lost node anew.</summary>
    public ServerTask StartReplace(ServedNode node, string by) =>
        tasks.StartOfFiles(node.Name, new ReplaceNodeWork(store, node), null, by);

    // A look that takes longer than the interval is not followed by a queue of others.
    Task LookUnlessBusyAsync() => turn.CurrentCount == 0 ? Task.CompletedTask : LookAsync();

    async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var node in await store.Nodes.LookAsync(cancellationToken))
        {
            // It may have what could not be read.
            store.Repair.Unreadable.Retry();
            Start(node.Name, new CompareNodeWork(store, node));
        }

        await store.RefreshAsync(cancellationToken);
        await store.CountAsync(cancellationToken);
        foreach (var node in store.Nodes.All)
        {
            if (node.Record.NodeId is not { } id) continue;
            if (store.Nodes.Storage.IsLost(id))
            {
                if (IsDue($"replace {node.Name}", ReplaceEvery) && await store.Care.HasWorkAsync(id, cancellationToken))
                    Start(node.Name, new ReplaceNodeWork(store, node));
            }
            else if (node.Record.Stage == NodeStage.Draining)
            {
                if (IsDue($"drain {node.Name}", ReplaceEvery) && await store.Care.HasWorkAsync(id, cancellationToken))
                    Start(node.Name, new DrainNodeWork(store, node));
            }

            if (!node.WasAway
                && IsDue($"scrub {node.Name}", NotesEvery)
                && await UpkeepJournal.OfScrub(store, id).IsDueAsync(cancellationToken))
                Start(node.Name, new ScrubNodeWork(store, node));
        }

        // What was written when there were fewer nodes is to get as many copies as what is written now.
        if (store.Nodes.Storage.HasGrown && IsDue("raise", RepairEvery)) Start(ServerTask.Files, new RepairFilesWork(store));
        if (IsDue("repair", RepairEvery))
        {
            if (await store.Repair.HasWorkAsync(cancellationToken)) Start(ServerTask.Files, new RepairFilesWork(store));
            else store.Totals.ShortBlocks = 0;
        }

        if (IsDue("collect", CollectEvery)) Start(ServerTask.Files, new CollectFilesWork(store));
        if (IsDue("sweep", NotesEvery) && await UpkeepJournal.OfSweep(store).IsDueAsync(cancellationToken))
            Start(ServerTask.Files, new SweepNodesWork(store));
    }

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
