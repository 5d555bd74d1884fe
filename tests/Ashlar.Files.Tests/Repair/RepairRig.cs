using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Files.Tests.Repair;

/// <summary>
/// A whole store, with storage nodes as they are, on one simulated disk: its trace has what happened to metadata and nodes in the order in
/// which it did, and that order is the same each time.
/// </summary>
sealed class RepairRig : IAsyncDisposable
{
    public const int NodeCount = 4;

    readonly List<DirectoryNode> nodes = [];
    readonly FileServiceOptions options;

    /// <param name="disk">Where all lies; formatted by <see cref="Format"/>.</param>
    /// <param name="seed">Chance.</param>
    /// <param name="clock">By which leases and periods go.</param>
    /// <param name="nodeDisk">How nodes see the disk.</param>
    /// <param name="catalogue">How repair sees the metadata.</param>
    public RepairRig(
        SimulatedFileSystem disk, ulong seed, SimulatedClock? clock = null, IFileSystem? nodeDisk = null,
        Func<RepairRig, IBlockCatalogue>? catalogue = null)
    {
        Disk = disk;
        Clock = clock ?? new();
        Store = EmbeddedStores.Open(disk, Clock);
        var chunkOptions = new ChunkOptions { HealthPeriod = TimeSpan.Zero };
        Known = new StorageNodes(Clock, chunkOptions);
        for (var number = 0; number < NodeCount; number++)
        {
            var entropy = new SeededEntropy(200 + seed + (ulong)number);
            var node = DirectoryNode.Open(nodeDisk ?? disk, Root(number), null, new() { ReserveBytes = 0 }, Clock, entropy);
            nodes.Add(node);
            Known.Add(node);
        }

        Holders = new NodeHolders(Known, Clock);
        var seen = catalogue?.Invoke(this) ?? Store;
        Repair = new BlockRepair(Known, new BufferPool(BufferPool.DefaultBufferBytes, 8), seen);
        Care = new NodeCare(Known, seen, Repair);
        options = new() { TimeProvider = Clock, Entropy = new SeededEntropy(seed), BufferBytes = 4096 };
        Files = new FileService(Store, new OneAfterAnother(this), options);
    }

    public static CustomerId Customer { get; } = new(1);

    public SimulatedFileSystem Disk { get; }

    public SimulatedClock Clock { get; }

    public EmbeddedMetadataStore Store { get; }

    public StorageNodes Known { get; }

    public IReadOnlyList<DirectoryNode> Nodes => nodes;

    public NodeHolders Holders { get; }

    public BlockRepair Repair { get; }

    public NodeCare Care { get; }

    public FileService Files { get; }

    public DirectoryNode this[NodeId id] => nodes.Single(node => node.Id == id);

    /// <summary>Makes nodes and metadata on an empty disk, with a customer.</summary>
    public static async Task FormatAsync(SimulatedFileSystem disk)
    {
        for (var number = 0; number < NodeCount; number++) DirectoryNode.Create(disk, Root(number), new SeededEntropy(100 + (ulong)number));
        await using var store = EmbeddedStores.Open(disk, new SimulatedClock());
        Assert.Equal(Customer, (await store.CreateCustomerAsync("customer", Quota.None)).Id);
    }

    /// <summary>The file of a block on a node.</summary>
    public string PathOf(NodeId node, CustomerBlock block) =>
        NodeExtensions.FileOf(Root(nodes.FindIndex(one => one.Id == node)), block);

    public async Task<byte[]> ReadAsync(FilePath path)
    {
        var content = new MemoryStream();
        await (await Files.ReadFileAsync(Customer, path)).CopyToAsync(content);
        return content.ToArray();
    }

    /// <summary>Rows of all blocks that files refer to.</summary>
    public async Task<IReadOnlyList<BlockLocations>> BlocksAsync()
    {
        var names = new SortedSet<BlockName>();
        foreach (var entry in (await Store.ListAsync(Customer, new() { IsRecursive = true, Limit = 1000 })).Entries)
            names.UnionWith((await Store.GetFileAsync(Customer, entry.Path)).Blocks.Select(block => block.Name));
        return [.. (await Store.GetLocationsAsync(Customer, [.. names])).Select(row => row!)];
    }

    /// <summary>Of the copies that a row lists, those that are what they should be.</summary>
    public async Task<int> CountGoodAsync(BlockLocations row)
    {
        var good = 0;
        foreach (var node in row.Nodes) good += await Holders.VerifyAsync(node, row.Id) == CopyState.Verified ? 1 : 0;
        return good;
    }

    public Task CollectAsync() => new Collector(Store, Holders, FileRig.NoPeriods).RunAsync();

    public Task SweepAsync() => new InventorySweep(Store, Holders).RunAsync(TimeSpan.Zero);

    /// <summary>Reads everything from the medium, and has it mended.</summary>
    public async Task ScrubAsync()
    {
        foreach (var node in nodes)
        {
            CustomerBlock? last = null;
            while ((await Care.ScrubAsync(node.Id, last, 100)).Last is { } end) last = end;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes) await node.DisposeAsync();
        await Store.DisposeAsync();
    }

    static string Root(int number) => $"/node{number}";

    /// <summary>Makes copies on one node after another, where real uploads go to all at once.</summary>
    sealed class OneAfterAnother(RepairRig rig) : IChunkManager
    {
        public int MaxBlockBytes => 64 << 10;

        public int RequiredCopies => 2;

        public int WantedCopies => 3;

        public IReadOnlyCollection<NodeId> Nodes => [.. rig.Known.Ids];

        public Task<IChunkUpload> BeginAsync(CustomerId customer, CancellationToken cancellationToken = default) =>
            Task.FromResult<IChunkUpload>(new Upload(this, customer));

        public async Task<IReadOnlyCollection<NodeId>> FindCopiesAsync(BlockLocations block, CancellationToken cancellationToken = default)
        {
            var found = new List<NodeId>();
            foreach (var node in block.Nodes)
                if (await rig.Holders.VerifyAsync(node, block.Id, cancellationToken) == CopyState.Verified) found.Add(node);
            return found;
        }

        public async Task ReadAsync(
            CustomerId customer, FileBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            var row = (await rig.Store.GetLocationsAsync(customer, [block.Name], cancellationToken))[0]!;
            foreach (var node in row.Nodes)
            {
                if (await rig.Holders.VerifyAsync(node, row.Id, cancellationToken) != CopyState.Verified) continue;
                var content = await rig[node].GetAsync(row.Id);
                content.AsMemory(offsetBytes, destination.Length).CopyTo(destination);
                return;
            }

            throw new IOException($"no good copy of {block.Name}");
        }

        async Task<IReadOnlyCollection<NodeId>> InstallAsync(CustomerBlock block, byte[] content, IReadOnlyCollection<NodeId> holders)
        {
            var installed = new List<NodeId>();
            foreach (var node in rig.nodes.Where(node => !holders.Contains(node.Id)).Take(WantedCopies - holders.Count))
            {
                await node.InstallAsync(await node.AppendAllAsync(content), block, default);
                installed.Add(node.Id);
            }

            return installed;
        }

        sealed class Upload(OneAfterAnother owner, CustomerId customer) : IChunkUpload
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
                owner.InstallAsync(new(customer, name), content.ToArray(), holders);

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
