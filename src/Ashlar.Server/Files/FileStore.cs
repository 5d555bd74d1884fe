using Ashlar.Api;
using Ashlar.Files;
using Ashlar.KeyValue;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// The file store as a part of the server: metadata, storage nodes, caches and the service above them, and what looks after them.
/// </summary>
/// <remarks>
/// <code>
/// files/metadata/      names, files, places of blocks, customers, users, keys: a key-value store
/// files/registry/      which storage nodes there are, see <see cref="NodeRegistry"/>
/// files/nodes/main/    the first storage node
/// files/key            the first key, see <see cref="FirstKey"/>
/// </code>
/// </remarks>
sealed class FileStore : IAsyncDisposable
{
    /// <summary>What the first customer, its user and the first storage node are called.</summary>
    public const string MainName = "main";

    /// <summary>Memory that all uploads and downloads share.</summary>
    const int SharedBuffers = 256;

    /// <summary>What repair copies and scrubs read, so that clients come first.</summary>
    const long RepairBytesPerSecond = 128L << 20, ScrubBytesPerSecond = 32L << 20;

    // So that a look at very many costs no more than at some.
    const int MaxCounted = 10_000, CountedAtOnce = 1000;

    readonly string directory;
    readonly EmbeddedMetadataStore metadata;
    readonly BufferPool buffers;
    readonly ChunkManager chunks;
    volatile Redundancy redundancy = new(0, 0, 0, 0, 0);
    volatile IReadOnlyList<FileNode> lastSeen = [];
    long blocksToRepair;

    FileStore(
        ServerOptions options, string directory, EmbeddedMetadataStore metadata, StorageNodes storage, FileNodes nodes, ServerTasks tasks,
        Action<LogEntry> report)
    {
        (this.directory, this.metadata, Nodes, Options) = (directory, metadata, nodes, options);
        var (clock, entropy) = (options.TimeProvider, options.Entropy);
        buffers = new BufferPool(BufferPool.DefaultBufferBytes, SharedBuffers);
        Repair = new BlockRepair(storage, buffers, metadata, new TokenBucket(RepairBytesPerSecond, clock), entropy);
        Care = new NodeCare(storage, metadata, Repair, new TokenBucket(ScrubBytesPerSecond, clock));
        Caches = FileCaches.Open(options, buffers, new NodePieces(storage, buffers, metadata, Repair, null, clock, entropy), report);
        chunks = new ChunkManager(storage, buffers, Pieces, null, clock, entropy, metadata);
        Service = new FileService(metadata, chunks, new FileServiceOptions { TimeProvider = clock, Entropy = entropy });
        Holders = new NodeHolders(storage, clock);
        Upkeep = new FileUpkeep(this, tasks, report);
    }

    /// <summary>How the server runs.</summary>
    public ServerOptions Options { get; }

    /// <summary>The operations on files.</summary>
    public FileService Service { get; }

    /// <summary>All that is known of files but their content.</summary>
    public IMetadataStore Metadata => metadata;

    /// <summary>The storage nodes.</summary>
    public FileNodes Nodes { get; }

    /// <summary>They, as the collector and the verifier see them.</summary>
    public IBlockHolders Holders { get; }

    /// <summary>What is kept of the nodes' content.</summary>
    public FileCaches Caches { get; }

    /// <summary>Where blocks are read from.</summary>
    public IPieceSource Pieces => Caches.Pieces;

    /// <summary>Makes copies anew.</summary>
    public BlockRepair Repair { get; }

    /// <summary>Looks after whole nodes.</summary>
    public NodeCare Care { get; }

    /// <summary>What that has done.</summary>
    public UpkeepTotals Totals { get; } = new();

    /// <summary>What is done by the clock.</summary>
    public FileUpkeep Upkeep { get; }

    /// <summary>The file with the first key; null where it is gone.</summary>
    public string? KeyFile => $"{directory}/{FirstKey.FileName}" is var path && Options.FileSystem.FileExists(path) ? path : null;

    /// <summary>Opens it; where there is none, or only a part of one, it is made.</summary>
    /// <param name="directory">Its directory.</param>
    /// <param name="options">How the server runs.</param>
    /// <param name="tasks">What takes long becomes a task.</param>
    /// <param name="report">Gets lines for the log.</param>
    /// <exception cref="AshlarException">It cannot be opened.</exception>
    // Crash order of the first start: metadata, which are made as a whole or not; the file with the key; customer, user and key; and last
    // the record of the first node. Without that all is found and gone through again.
    public static async Task<FileStore> OpenAsync(string directory, ServerOptions options, ServerTasks tasks, Action<LogEntry> report)
    {
        var files = options.FileSystem;
        files.CreateDirectories(directory);
        files.CreateDirectories($"{directory}/registry");
        var metadata = EmbeddedMetadataStore.Open(
            $"{directory}/metadata",
            new KeyValueOptions { FileSystem = files, TimeProvider = options.TimeProvider, Entropy = options.Entropy });
        FileNodes? nodes = null;
        try
        {
            var registry = new NodeRegistry(files, $"{directory}/registry");
            if (registry.IsUntouched)
            {
                await FirstKey.CreateAsync(files, directory, metadata, options.Entropy);
                registry.Install(FileNodes.First(registry));
            }

            var storage = new StorageNodes(options.TimeProvider);
            nodes = await FileNodes.OpenAsync(options, directory, registry, storage, metadata, report);
            var store = new FileStore(options, directory, metadata, storage, nodes, tasks, report);
            await store.RefreshAsync();
            return store;
        }
        catch
        {
            if (nodes is not null) await nodes.DisposeAsync();
            await metadata.DisposeAsync();
            throw;
        }
    }

    /// <summary>Why the metadata refuse changes until they are opened anew; null while they do not.</summary>
    public Exception? Failure => metadata.Failure;

    /// <summary>The storage nodes, as of the last look.</summary>
    public IReadOnlyList<FileNode> LastSeen => lastSeen;

    /// <summary>Blocks that lack copies or were reported, as of the last look; counted up to <see cref="MaxCounted"/>.</summary>
    public long BlocksToRepair => Interlocked.Read(ref blocksToRepair);

    /// <summary>Looks how the nodes are, for the status.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken = default)
    {
        redundancy = await Nodes.Storage.GetRedundancyAsync(cancellationToken);
        var health = await Nodes.Storage.GetHealthAsync(cancellationToken);
        lastSeen =
        [
            .. Nodes.All.Select(node => FileAnswers.Node(node, node.Record.NodeId is { } id ? health.GetValueOrDefault(id) : null)),
        ];
    }

    /// <summary>Counts what is to be repaired.</summary>
    public async Task CountAsync(CancellationToken cancellationToken)
    {
        var count = (long)Repair.ReportedCount;
        BlockLocations? last = null;
        while (count < MaxCounted
            && await metadata.ListUnderReplicatedAsync(last, CountedAtOnce, cancellationToken) is { Count: > 0 } page)
        {
            count += page.Count;
            last = page[^1];
        }

        Interlocked.Exchange(ref blocksToRepair, Math.Min(count, MaxCounted));
    }

    /// <summary>Whether there is more in it than what the first start makes.</summary>
    public async Task<bool> IsUsedAsync()
    {
        var customers = await metadata.ListCustomersAsync(null, 2);
        return Nodes.All.Count > 1 || customers.Count > 1
            || (customers.Count == 1 && await metadata.GetUsageAsync(customers[0].Id) != default);
    }

    /// <summary>The store at a glance, as of the last look.</summary>
    public FileStoreStatus GetStatus()
    {
        var redundancy = this.redundancy;
        return new()
        {
            State = FileStores.Available,
            NodeCount = redundancy.Nodes,
            UsableNodeCount = redundancy.UsableNodes,
            DomainCount = redundancy.FailureDomains,
            Copies = redundancy.Copies,
            AcknowledgedCopies = redundancy.AcknowledgedCopies,
            Risk = redundancy.Risk,
            KeyFile = KeyFile,
            Cache = Caches.GetStatus(),
        };
    }

    /// <summary>Writes what is known of names, files and blocks as statements of SQL, as of one moment.</summary>
    public Task ExportAsync(TextWriter writer, CustomerId? only, CancellationToken cancellationToken) =>
        metadata.ExportAsync(writer, only, cancellationToken);

    /// <summary>Ends what is done by the clock, and closes nodes and metadata. Who serves from it has ended before.</summary>
    public async ValueTask DisposeAsync()
    {
        await Upkeep.DisposeAsync();
        await chunks.SettleAsync(); // Copies that came after their files were acknowledged are recorded.
        Caches.Dispose();
        await Nodes.DisposeAsync();
        await metadata.DisposeAsync();
    }
}
