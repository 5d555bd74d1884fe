using Ashlar.Storage;

namespace Ashlar.Files.Tests;

/// <summary>
/// Nodes as directories of one disk, as simple as nodes can be: a block is a file, installed by rename, and nothing is remembered. What
/// is left out makes bugs to be found.
/// </summary>
class DiskNodes : IChunkManager, IBlockHolders
{
    const string Root = "/nodes";

    readonly IFileSystem disk;
    readonly NodeId[] nodes;
    int lastTemp;

    public DiskNodes(IFileSystem disk, int count = 3)
    {
        this.disk = disk;
        nodes = [.. Enumerable.Range(1, count).Select(number => new NodeId((ulong)number))];
        foreach (var node in nodes)
        {
            disk.CreateDirectories(Blocks(node));
            disk.CreateDirectories(Trash(node));
            disk.SyncDirectory($"{Root}/{node}");
        }

        disk.SyncDirectory(Root);
        disk.SyncDirectory("/");
    }

    public int MaxBlockBytes { get; init; } = 8192;

    public int RequiredCopies { get; init; } = 2;

    public int WantedCopies { get; init; } = 3;

    /// <summary>Copies that are there when an install returns.</summary>
    public int InstalledCopies { get; init; } = 2;

    public IReadOnlyCollection<NodeId> Nodes => nodes;

    public HashSet<NodeId> Away { get; } = [];

    public bool SkipsFileSync { get; init; }

    public bool SkipsDirectorySync { get; init; }

    /// <summary>Whether what lies in the trash is old enough to go.</summary>
    public bool PurgesTrash { get; set; }

    /// <summary>How long nodes have had what they have.</summary>
    public TimeSpan HeldFor { get; set; } = TimeSpan.FromDays(100);

    /// <summary>Before each thing that one node does.</summary>
    public Func<string, Task> Before { get; init; } = _ => Task.CompletedTask;

    public long InstalledBytes { get; private set; }

    public Task<IChunkUpload> BeginAsync(CustomerId customer, CancellationToken cancellationToken = default) =>
        Task.FromResult<IChunkUpload>(new Upload(this, customer));

    public async Task<IReadOnlyCollection<NodeId>> FindCopiesAsync(BlockLocations block, CancellationToken cancellationToken = default)
    {
        await Before("count");
        return [.. block.Nodes.Where(node => !Away.Contains(node) && Find(node, block.Id) is not null)];
    }

    public Task ReadAsync(
        CustomerId customer, FileBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        foreach (var node in nodes)
        {
            if (Away.Contains(node) || Content(node, new(customer, block.Name)) is not { } content) continue;
            if (ContentHash.Of(content) != block.Name.Hash) continue;
            content.AsSpan(offsetBytes, destination.Length).CopyTo(destination.Span);
            return Task.CompletedTask;
        }

        var found = nodes.Select(node => $"{node}: {Content(node, new(customer, block.Name))?.Length.ToString() ?? "none"}");
        throw new IOException($"no copy of {block.Name}, which has {block.LengthBytes} bytes: {string.Join(", ", found)}");
    }

    public async Task<bool> RemoveAsync(NodeId node, CustomerBlock block, CancellationToken cancellationToken = default)
    {
        await Before($"remove from {node}");
        if (Away.Contains(node)) return false;
        if (Find(node, block) is not { } name) return true;
        disk.Rename($"{Blocks(node)}/{name}", $"{Trash(node)}/{name}");
        disk.SyncDirectory(Blocks(node));
        disk.SyncDirectory(Trash(node));
        return true;
    }

    public Task<CopyState> VerifyAsync(NodeId node, CustomerBlock block, CancellationToken cancellationToken = default) => Task.FromResult(
        Away.Contains(node) ? CopyState.Away
        : Content(node, block) is not { } content ? CopyState.Missing
        : ContentHash.Of(content) == block.Name.Hash ? CopyState.Verified
        : CopyState.Damaged);

    public Task<IReadOnlyList<HeldBlock>?> ListAsync(
        NodeId node, CustomerBlock? after, int limit, CancellationToken cancellationToken = default)
    {
        if (Away.Contains(node)) return Task.FromResult<IReadOnlyList<HeldBlock>?>(null);
        var page = Held(node)
            .Select(held => new CustomerBlock(held.Customer, held.Block))
            .Where(held => after is not { } last || held > last)
            .Order()
            .Take(limit)
            .Select(held => new HeldBlock(held.Customer, new(held.Name, Content(node, held)!.Length), HeldFor));
        return Task.FromResult<IReadOnlyList<HeldBlock>?>([.. page]);
    }

    public Task<int> PurgeAsync(NodeId node, int limit, CancellationToken cancellationToken = default)
    {
        if (!PurgesTrash || Away.Contains(node)) return Task.FromResult(0);
        var purged = disk.List(Trash(node)).Take(limit).ToArray();
        foreach (var name in purged) disk.Delete($"{Trash(node)}/{name}");
        return Task.FromResult(purged.Length);
    }

    /// <summary>All that a node has outside of its trash.</summary>
    public IEnumerable<(CustomerId Customer, BlockName Block)> Held(NodeId node) => disk.List(Blocks(node))
        .Where(name => !name.StartsWith("temp", StringComparison.Ordinal))
        .Select(name => (new CustomerId(ulong.Parse(name.Split('-')[0])), BlockName.TryParse(name.Split('-')[1], out var block)
            ? block
            : throw new InvalidOperationException(name)));

    public void Damage(NodeId node, BlockName block)
    {
        using var file = disk.Open($"{Blocks(node)}/{FindOfAny(node, block)}", FileOpenMode.Existing);
        file.Write([0xEE], 0);
    }

    public void Lose(NodeId node, BlockName block) => disk.Delete($"{Blocks(node)}/{FindOfAny(node, block)}");

    /// <summary>A copy that comes after its upload was given up.</summary>
    public void Put(NodeId node, CustomerId customer, BlockName name, byte[] content)
    {
        var temp = $"{Blocks(node)}/temp{Interlocked.Increment(ref lastTemp)}-{name.Generation:x}";
        using (var file = disk.Open(temp, FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0);
            file.Write(content, 0);
            if (!SkipsFileSync) file.Sync();
        }

        disk.Rename(temp, $"{Blocks(node)}/{customer}-{name}");
        if (!SkipsDirectorySync) disk.SyncDirectory(Blocks(node));
        InstalledBytes += content.Length;
    }

    protected virtual async Task<IReadOnlyCollection<NodeId>> InstallAsync(
        CustomerId customer, BlockName name, byte[] content, IReadOnlyCollection<NodeId> holders)
    {
        var installed = new List<NodeId>();
        foreach (var node in nodes.Except(holders))
        {
            if (Away.Contains(node) || installed.Count == InstalledCopies) continue;
            await Before($"install on {node}");
            Put(node, customer, name, content);
            installed.Add(node);
        }

        return installed;
    }

    byte[]? Content(NodeId node, CustomerBlock block)
    {
        if (Find(node, block) is not { } name) return null;
        using var file = disk.Open($"{Blocks(node)}/{name}", FileOpenMode.ReadOnly);
        return file.ReadWhole();
    }

    string? Find(NodeId node, CustomerBlock block) =>
        disk.FileExists($"{Blocks(node)}/{block.Customer}-{block.Name}") ? $"{block.Customer}-{block.Name}" : null;

    string FindOfAny(NodeId node, BlockName block) =>
        disk.List(Blocks(node)).First(name => name.EndsWith($"-{block}", StringComparison.Ordinal));

    static string Blocks(NodeId node) => $"{Root}/{node}/blocks";

    static string Trash(NodeId node) => $"{Root}/{node}/trash";

    sealed class Upload(DiskNodes owner, CustomerId customer) : IChunkUpload
    {
        readonly MemoryStream content = new();

        public ValueTask AppendAsync(ReadOnlyMemory<byte> more, CancellationToken cancellationToken = default)
        {
            content.Write(more.Span);
            return ValueTask.CompletedTask;
        }

        public Task<WantedBlock> SealAsync(CancellationToken cancellationToken = default) =>
            Task.FromResult(new WantedBlock(ContentHash.Of(content.ToArray()), (int)content.Length));

        public Task<IReadOnlyCollection<NodeId>> InstallAsync(
            BlockName name, IReadOnlyCollection<NodeId> holders, CancellationToken cancellationToken = default) =>
            owner.InstallAsync(customer, name, content.ToArray(), holders);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
