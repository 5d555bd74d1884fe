using Ashlar.Api;
using Ashlar.Files;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// The storage nodes of the server: remembered, opened where their disks are, and waited for where they are not. A node that is not there
/// is unavailable, and never an empty one.
/// </summary>
sealed class FileNodes : IAsyncDisposable
{
    const int MaxNameLength = 64;
    const string LostProblem = "it was declared lost";

    readonly ServerOptions options;
    readonly string directory;
    readonly NodeRegistry registry;
    readonly IMetadataStore metadata;
    readonly Action<LogEntry> report;
    readonly SemaphoreSlim turn = new(1, 1); // One change at a time.
    readonly Lock gate = new();
    readonly List<ServedNode> all = [];

    FileNodes(
        ServerOptions options, string directory, NodeRegistry registry, StorageNodes nodes, IMetadataStore metadata,
        Action<LogEntry> report)
    {
        (this.options, this.directory, this.registry, Storage) = (options, directory, registry, nodes);
        (this.metadata, this.report) = (metadata, report);
    }

    /// <summary>Those that the store works with.</summary>
    public StorageNodes Storage { get; }

    /// <summary>All of them, in the order in which they were added.</summary>
    public IReadOnlyList<ServedNode> All
    {
        get
        {
            lock (gate) return [.. all];
        }
    }

    /// <summary>Opens all nodes that are remembered.</summary>
    /// <exception cref="CorruptDataException">What is remembered of one is damaged.</exception>
    public static async Task<FileNodes> OpenAsync(
        ServerOptions options, string directory, NodeRegistry registry, StorageNodes nodes, IMetadataStore metadata,
        Action<LogEntry> report)
    {
        var served = new FileNodes(options, directory, registry, nodes, metadata, report);
        foreach (var number in registry.Numbers())
        {
            var record = registry.ReadRecord(number);
            served.all.Add(new ServedNode(record, record.PathIn(directory)));
        }

        // All before the first is used: one that is missing counts as well.
        foreach (var node in served.All) served.Register(node);
        foreach (var node in served.All) await served.OpenAsync(node);
        return served;
    }

    /// <summary>A node, by its name or its number.</summary>
    /// <exception cref="ApiException">There is none.</exception>
    public ServedNode Get(string name) => All.FirstOrDefault(node => node.Name == name || node.Record.Id == name)
        ?? throw new ApiException(ProblemKind.NodeNotFound, $"there is no storage node '{name}'");

    /// <summary>Makes a node of a directory; durable when it returns.</summary>
    // Crash order: the record says which directory is being made; the directory is made, its own record last; the record says which node it
    // is. A start that finds the first finishes the rest: nobody stores anything on a node before the last.
    public async Task<ServedNode> AddAsync(AddFileNode request, string by)
    {
        CheckName(request.Name);
        if (!request.Path.StartsWith('/') || request.Path.Contains('\0'))
            throw new ApiException(ProblemKind.InvalidRequest, $"'{request.Path}' is not an absolute path");
        var path = request.Path.Length > 1 ? request.Path.TrimEnd('/') : request.Path;
        await turn.WaitAsync();
        try
        {
            if (All.Any(node => node.Name == request.Name))
                throw new ApiException(ProblemKind.Exists, $"there is a storage node {request.Name} already");
            RequireNew(path);
            var record = new RememberedNode
            {
                Number = registry.NextNumber(),
                Name = request.Name,
                Path = path,
                Domain = request.Domain ?? "",
                Stage = NodeStage.Adding,
            };
            return await AddAsync(record, by);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Makes the first node, in the directory of the file store.</summary>
    public static RememberedNode First(NodeRegistry registry) => new()
    {
        Number = registry.NextNumber(),
        Name = FileStore.MainName,
        Path = $"nodes/{FileStore.MainName}",
        Stage = NodeStage.Adding,
    };

    /// <summary>Says what is lost together with a node.</summary>
    public Task<ServedNode> SetDomainAsync(string name, string domain, string by) => ChangeAsync(name, node =>
    {
        Remember(node, node.Record with { Domain = domain });
        Register(node);
        Tell(LogEvents.NodeChanged, node, $"is in failure domain '{domain}', by {by}");
        return Task.CompletedTask;
    });

    /// <summary>Says whether a node is to be emptied.</summary>
    public Task<ServedNode> SetDrainingAsync(string name, bool isDraining, string by) => ChangeAsync(name, node =>
    {
        RequireNotLost(node);
        Remember(node, node.Record with { Stage = isDraining ? NodeStage.Draining : NodeStage.Ready });
        Storage.SetDraining(node.Record.NodeId!.Value, isDraining);
        Tell(LogEvents.NodeChanged, node, $"{(isDraining ? "is being emptied" : "takes blocks again")}, by {by}");
        return Task.CompletedTask;
    });

    /// <summary>Says that a node will not come back. What it has is not waited for, and never taken back.</summary>
    public Task<ServedNode> DeclareLostAsync(string name, string by) => ChangeAsync(name, async node =>
    {
        if (node.Record.Stage == NodeStage.Lost) return;
        if (All.Count(each => each.Record.Stage != NodeStage.Lost) == 1)
            throw new ApiException(ProblemKind.UnusableNode, $"storage node {name} is the only one: without it nothing is left");
        Remember(node, node.Record with { Stage = NodeStage.Lost });
        node.Problem = LostProblem;
        Storage.MarkGone(node.Record.NodeId!.Value);
        await CloseAsync(node);
        Tell(LogEvents.NodeLost, node, $"is lost, by {by}: its copies are made elsewhere");
    });

    /// <summary>Forgets a node on which nothing is left. Its directory stays.</summary>
    public Task<ServedNode> RemoveAsync(string name, string by) => ChangeAsync(name, async node =>
    {
        if (node.Record.Stage is not (NodeStage.Draining or NodeStage.Lost))
            throw new ApiException(ProblemKind.UnusableNode, $"storage node {name} is in use") { Hint = "drain it first" };
        var id = node.Record.NodeId!.Value;
        var left = await metadata.ListBlocksOfNodeAsync(id, null, 1);
        if (left.Count > 0)
        {
            throw new ApiException(ProblemKind.UnusableNode, $"storage node {name} has blocks that are not elsewhere yet")
            {
                Hint = node.Record.Stage == NodeStage.Lost ? "wait for the task that makes them anew" : "wait until it is empty",
            };
        }

        registry.Remove(node.Record.Number);
        Storage.Remove(id);
        lock (gate) all.Remove(node);
        await CloseAsync(node);
        Tell(LogEvents.NodeRemoved, node, $"is removed, by {by}; its directory {node.Path} stays");
    });

    /// <summary>Looks after nodes that are not open, or come back.</summary>
    /// <returns>Those that are there again.</returns>
    public async Task<IReadOnlyList<ServedNode>> LookAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            foreach (var node in All.Where(static node => node.Open is null && node.Record.Stage != NodeStage.Lost))
                await OpenAsync(node);
            var health = await Storage.GetHealthAsync(cancellationToken);
            var back = new List<ServedNode>();
            foreach (var node in All)
            {
                var isAway = node.Record.NodeId is not { } id || health.GetValueOrDefault(id) is null or { State: NodeState.Unavailable };
                if (node.WasAway && !isAway) back.Add(node);
                if (isAway != node.WasAway && node.Record.Stage != NodeStage.Lost)
                {
                    if (isAway) Tell(LogEvents.NodeUnavailable, node, $"is not available: {ProblemOf(node, health)}", LogLevel.Warning);
                    else Tell(LogEvents.NodeAvailable, node, "is available again");
                }

                node.WasAway = isAway;
            }

            return back;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Closes those that are open.</summary>
    public async ValueTask DisposeAsync()
    {
        await turn.WaitAsync();
        foreach (var node in All) await CloseAsync(node);
    }

    static string ProblemOf(ServedNode node, IReadOnlyDictionary<NodeId, NodeHealth> health) => node.Problem
        ?? (node.Record.NodeId is { } id ? health.GetValueOrDefault(id)?.Problem : null) ?? "it does not answer";

    static void CheckName(string name)
    {
        if (name.Length is > 0 and <= MaxNameLength
            && char.IsAsciiLetterOrDigit(name[0])
            && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-'))
            return;
        throw new ApiException(
            ProblemKind.InvalidName, $"'{name}' is not a name of a storage node: 1 to {MaxNameLength} of a-z, 0-9, '.', '_' and '-'");
    }

    static void RequireNotLost(ServedNode node)
    {
        if (node.Record.Stage == NodeStage.Lost) throw new ApiException(ProblemKind.UnusableNode, $"storage node {node.Name} is lost");
    }

    // Of another path to the same directory the lock of an open node would tell, too; this tells it in words, and of closed ones.
    void RequireNew(string path)
    {
        var files = options.FileSystem;
        var parent = Path.GetDirectoryName(path);
        if (files.FileExists(path)) throw new ApiException(ProblemKind.UnusableNode, $"{path} is a file, not a directory");
        if (string.IsNullOrEmpty(parent) || !files.DirectoryExists(parent))
            throw new ApiException(ProblemKind.UnusableNode, $"{parent} is not there");
        var resolved = Resolve(path);
        if (All.FirstOrDefault(node => Resolve(node.Path) == resolved) is { } same)
            throw new ApiException(ProblemKind.UnusableNode, $"{path} is the directory of storage node {same.Name}");
        if (files.DirectoryExists(path) && files.List(path).FirstOrDefault(static name => name != "lost+found") is { } foreign)
            throw new ApiException(ProblemKind.UnusableNode, $"a storage node needs a directory of its own, and in {path} is {foreign}");
    }

    string Resolve(string path)
    {
        var files = options.FileSystem;
        if (files.DirectoryExists(path)) return files.ResolveLinks(path);
        var parent = Path.GetDirectoryName(path);
        return parent is { Length: > 0 } && files.DirectoryExists(parent)
            ? $"{files.ResolveLinks(parent).TrimEnd('/')}/{Path.GetFileName(path)}"
            : path;
    }

    async Task<ServedNode> AddAsync(RememberedNode record, string by)
    {
        var node = new ServedNode(record, record.PathIn(directory));
        registry.Install(record);
        try
        {
            await MakeAsync(node);
        }
        catch
        {
            registry.Remove(record.Number);
            throw;
        }

        lock (gate) all.Add(node);
        await OpenAsync(node);
        Tell(LogEvents.NodeAdded, node, $"{node.Record.Id} is added in {node.Path}, by {by}");
        if (node.Open is null)
            throw new ApiException(ProblemKind.UnusableNode, $"storage node {node.Name} cannot be opened: {node.Problem}");
        return node;
    }

    // The directory may be there already, as far as a crash left it: it was empty when its record was written.
    async Task MakeAsync(ServedNode node)
    {
        NodeId id;
        try
        {
            id = DirectoryNode.Create(options.FileSystem, node.Path, options.Entropy, options.TimeProvider);
        }
        catch (NodeDirectoryException e) when (e.Problem == NodeDirectoryProblem.AlreadyThere)
        {
            var open = DirectoryNode.Open(options.FileSystem, node.Path, null, null, options.TimeProvider, options.Entropy);
            id = open.Id;
            await open.DisposeAsync();
        }

        Remember(node, node.Record with { Id = id.ToString(), Stage = NodeStage.Ready });
        Register(node);
    }

    async Task OpenAsync(ServedNode node)
    {
        if (node.Record.Stage == NodeStage.Lost)
        {
            node.Problem = LostProblem;
            return;
        }

        try
        {
            if (node.Record.Stage == NodeStage.Adding) await MakeAsync(node);
            var id = node.Record.NodeId!.Value;
            node.Open = DirectoryNode.Open(
                options.FileSystem, node.Path, id, null, options.TimeProvider, options.Entropy);
            Storage.Add(node.Open);
            node.Problem = null;
        }
        catch (Exception e) when (e is AshlarException)
        {
            var isNews = node.Problem is null;
            node.Problem = e.Message;
            node.WasAway = true;
            if (isNews) Tell(LogEvents.NodeUnavailable, node, $"is not available: {e.Message}", LogLevel.Warning);
        }
    }

    void Register(ServedNode node)
    {
        if (node.Record.NodeId is not { } id) return;
        if (node.Record.Stage == NodeStage.Lost)
        {
            Storage.MarkGone(id);
            return;
        }

        Storage.Register(id, node.Record.Domain);
        Storage.SetDraining(id, node.Record.Stage == NodeStage.Draining);
    }

    async Task<ServedNode> ChangeAsync(string name, Func<ServedNode, Task> change)
    {
        await turn.WaitAsync();
        try
        {
            var node = Get(name);
            if (node.Record.NodeId is null)
                throw new ApiException(ProblemKind.UnusableNode, $"storage node {name} was not made yet: {node.Problem}");
            await change(node);
            return node;
        }
        finally
        {
            turn.Release();
        }
    }

    void Remember(ServedNode node, RememberedNode record)
    {
        registry.Install(record);
        node.Record = record;
    }

    async Task CloseAsync(ServedNode node)
    {
        if (node.Open is not { } open) return;
        node.Open = null;
        Storage.Detach(open.Id);
        await open.DisposeAsync();
    }

    void Tell(string name, ServedNode node, string what, LogLevel level = LogLevel.Information) =>
        report(new(level, name, $"storage node {node.Name}: {what}"));
}
