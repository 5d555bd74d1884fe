using Ashlar.Api;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// The file store of the server, or why there is none: what is wrong with it does not keep volumes from being served.
/// </summary>
sealed class FileStores : IAsyncDisposable
{
    /// <summary>Whether it can be used.</summary>
    public const string Available = "available", Unavailable = "unavailable";

    FileStores(FileStore? store, string? problem) => (Store, Problem) = (store, problem);

    /// <summary>It; null where it cannot be used.</summary>
    public FileStore? Store { get; }

    /// <summary>Why it cannot be used.</summary>
    public string? Problem { get; }

    /// <summary>Whether somebody has stored anything, as far as that was known when it was closed.</summary>
    public bool WasUsed { get; private set; }

    /// <summary>What people are to be warned of.</summary>
    public IEnumerable<string> Warnings
    {
        get
        {
            if (Problem is not null) yield return $"the file store is not available: {Problem}";
            if (Store?.Failure is { } failure)
                yield return $"the metadata of files refuse changes until the server is started again: {failure.Message}";
            if (Store?.Repair.Unreadable is { Count: > 0 } lost)
            {
                yield return $"of {lost.Count} blocks of files no copy can be read, {lost.First(1)[0].Block} is one; "
                    + "'ashlar file verify --all' says which files have them; they are looked at again when a storage node comes back, and "
                    + "from time to time";
            }

            if (Store?.Totals.ShortBlocks is > 0 and var few)
                yield return $"{few} blocks of files have fewer copies than they should have, and no other storage node takes more";
            if (Store?.Caches.Problem is { } passedBy)
                yield return $"the cache of files, {Store.Options.FileCacheDirectory}, is passed by: {passedBy}";
            foreach (var node in Store?.Nodes.All ?? [])
            {
                if (node.WasAway && node.Record.Stage != NodeStage.Lost)
                    yield return $"storage node {node.Name} is not available: {node.Problem ?? "it does not answer"}";
            }
        }
    }

    /// <summary>Opens it.</summary>
    public static async Task<FileStores> OpenAsync(string directory, ServerOptions options, ServerTasks tasks, Action<LogEntry> report)
    {
        try
        {
            return new(await FileStore.OpenAsync(directory, options, tasks, report), null);
        }
        catch (AshlarException e)
        {
            report(new(LogLevel.Error, LogEvents.FilesUnavailable, $"files: not available: {e.Message}"));
            return new(null, e.Message);
        }
    }

    /// <summary>It, for a request.</summary>
    /// <exception cref="ApiException">It cannot be used.</exception>
    public FileStore Get() => Store ?? throw new ApiException(ProblemKind.Unavailable, $"the file store is not available: {Problem}");

    /// <summary>It at a glance.</summary>
    public FileStoreStatus GetStatus() => Store?.GetStatus() ?? new() { State = Unavailable };

    public async ValueTask DisposeAsync()
    {
        if (Store is null) return;
        WasUsed = await Store.IsUsedAsync();
        await Store.DisposeAsync();
    }
}
