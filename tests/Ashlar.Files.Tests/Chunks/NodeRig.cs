using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>Several storage nodes, each with a disk of its own that can fail and a wire that can be cut.</summary>
sealed class NodeRig : IAsyncDisposable
{
    const string Root = "/node";

    readonly List<DirectoryNode> opened = [];

    public NodeRig(
        int count, ChunkOptions? options = null, TimeProvider? clock = null, int buffers = 64, Func<int, string>? domainOf = null)
    {
        Options = options ?? new ChunkOptions { HealthPeriod = TimeSpan.Zero };
        Buffers = new BufferPool(BufferPool.DefaultBufferBytes, buffers);
        Known = new StorageNodes(clock, Options);
        for (var i = 0; i < count; i++) Add(domainOf?.Invoke(i) ?? "");
        Pieces = new NodePieces(Known, Buffers, Catalogue, Reports, Options, clock, new SeededEntropy(8));
        Chunks = new ChunkManager(Known, Buffers, Pieces, Options, clock, new SeededEntropy(9), Catalogue);
    }

    public ChunkOptions Options { get; }

    public BufferPool Buffers { get; }

    public List<SimulatedFileSystem> Disks { get; } = [];

    public List<FaultyFileSystem> Faults { get; } = [];

    public List<ScriptedNode> Nodes { get; } = [];

    public StorageNodes Known { get; }

    public CatalogueOfTests Catalogue { get; } = new();

    public ReportsOfTests Reports { get; } = new();

    public NodePieces Pieces { get; }

    public ChunkManager Chunks { get; }

    /// <summary>A node that belongs to the store and is not there.</summary>
    public NodeId AddAbsent(string domain = "")
    {
        var id = new NodeId(0xAB5E47 + (ulong)Known.Count);
        Known.Register(id, domain);
        return id;
    }

    public ScriptedNode Add(string domain = "")
    {
        var number = (ulong)Nodes.Count;
        var disk = new SimulatedFileSystem(isRecording: false);
        var faults = new FaultyFileSystem(disk);
        DirectoryNode.Create(disk, Root, new SeededEntropy(100 + number));
        var options = new DirectoryNodeOptions { ReserveBytes = 0 };
        var node = DirectoryNode.Open(faults, Root, null, options, new SimulatedClock(), new SeededEntropy(200 + number));
        opened.Add(node);
        Disks.Add(disk);
        Faults.Add(faults);
        Nodes.Add(new ScriptedNode(node));
        Known.Add(Nodes[^1], domain.Length == 0 ? null : domain);
        return Nodes[^1];
    }

    public ScriptedNode this[NodeId id] => Nodes.Single(node => node.Id == id);

    /// <summary>Streams a block to its nodes.</summary>
    public async Task<StoredCopies> StoreAsync(byte[] content, ulong generation = 1, int pieceBytes = 50_000)
    {
        await using var writer = await StreamAsync(content, pieceBytes);
        var digest = await writer.FinishAsync();
        var copies = await writer.StoreAsync(new BlockName(digest.Hash, generation), NodeExtensions.Owner);
        Catalogue.Put(copies);
        return copies;
    }

    public async Task<BlockWriter> StreamAsync(byte[] content, int pieceBytes = 50_000)
    {
        var writer = await Chunks.BeginAsync(content.Length);
        try
        {
            for (var done = 0; done < content.Length; done += pieceBytes)
            {
                var piece = Buffers.Rent();
                piece.LengthBytes = Math.Min(pieceBytes, content.Length - done);
                content.AsMemory(done, piece.LengthBytes).CopyTo(piece.Space);
                try
                {
                    await writer.WriteAsync(piece);
                }
                finally
                {
                    piece.Release();
                }
            }

            return writer;
        }
        catch
        {
            await writer.DisposeAsync();
            throw;
        }
    }

    public async Task<byte[]> ReadAsync(StoredCopies block)
    {
        var content = new byte[block.LengthBytes];
        await Chunks.ReadAsync(NodeExtensions.Owner, new FileBlock(block.Name, block.LengthBytes), 0, content);
        return content;
    }

    /// <summary>The file of a block on a node.</summary>
    public static string PathOf(BlockName name) => NodeExtensions.FileOf(Root, name);

    /// <summary>Turns a bit of a block's content.</summary>
    public void Damage(NodeId node, BlockName name, long offset = 0) =>
        Damage(node, new CustomerBlock(NodeExtensions.Owner, name), offset);

    /// <summary>Turns a bit of the content of anybody's block.</summary>
    public void Damage(NodeId node, CustomerBlock block, long offset = 0)
    {
        var path = NodeExtensions.FileOf(Root, block);
        using var file = Disks[Nodes.FindIndex(one => one.Id == node)].Open(path, Storage.FileOpenMode.Existing);
        var bytes = new byte[1];
        file.Read(bytes, offset);
        file.Write([(byte)(bytes[0] ^ 1)], offset);
    }

    /// <summary>Waits for copies that follow. A node that was out of reach when an upload was given up does not know of that yet.</summary>
    public Task SettleAsync()
    {
        // Between two attempts nothing is under way for a moment.
        var calm = 0;
        return TestKit.Waiting.UntilAsync(
            () => (calm = Buffers.InUse == 0 && Known.All.All(node => node.Outstanding == 0) ? calm + 1 : 0) == 5, "all copies are made");
    }

    /// <summary>Nothing is left of uploads, no file is open, and all memory is back.</summary>
    public async Task AssertTidyAsync()
    {
        await SettleAsync();
        await TestKit.Waiting.UntilAsync(() => Disks.TrueForAll(disk => disk.OpenFiles == 0), "no file is open");
        Assert.All(Disks, disk => Assert.Empty(disk.List($"{Root}/temp")));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in opened) await node.DisposeAsync();
    }
}
