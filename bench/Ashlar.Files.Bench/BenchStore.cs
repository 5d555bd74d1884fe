using Ashlar.Storage;

namespace Ashlar.Files.Bench;

/// <summary>A file store in one process, on nodes in directories beside each other.</summary>
sealed class BenchStore : IAsyncDisposable
{
    readonly List<DirectoryNode> nodes = [];
    readonly EmbeddedMetadataStore metadata;
    readonly FileService service;
    CustomerId customer;

    BenchStore(string directory, int copies)
    {
        // One disk stands for several: each is a failure domain of its own.
        var options = new ChunkOptions { Copies = copies };
        var buffers = new BufferPool(BufferPool.DefaultBufferBytes, 256);
        var known = new StorageNodes(null, options);
        Directory.CreateDirectory(directory);
        for (var i = 0; i < copies; i++)
        {
            var path = Path.Combine(directory, $"node{i}");
            DirectoryNode.Create(FileSystems.Real, path);
            nodes.Add(DirectoryNode.Open(FileSystems.Real, path));
            known.Add(nodes[i], $"disk {i}");
        }

        metadata = EmbeddedMetadataStore.Open(Path.Combine(directory, "metadata"));
        var repair = new BlockRepair(known, buffers, metadata);
        var pieces = new NodePieces(known, buffers, metadata, repair, options);
        Chunks = new ChunkManager(known, buffers, new MemoryCache(pieces, 64 << 20), options, catalogue: metadata);
        service = new FileService(metadata, Chunks);
    }

    public ChunkManager Chunks { get; }

    /// <summary>Blocks that are on the nodes.</summary>
    public int Installs => nodes.Sum(node =>
        Directory.EnumerateFiles(Path.Combine(node.Path, "blocks"), "*.*.*", SearchOption.AllDirectories).Count());

    public static async Task<BenchStore> OpenAsync(string directory, int copies)
    {
        var store = new BenchStore(directory, copies);
        store.customer = (await store.metadata.CreateCustomerAsync("bench", Quota.None)).Id;
        return store;
    }

    public Task PutAsync(FilePath path, Stream content) => service.CreateFileAsync(customer, path, content);

    public async Task GetAsync(FilePath path, long offset, long length) =>
        await (await service.ReadFileAsync(customer, path, offset, length)).CopyToAsync(Stream.Null);

    public async ValueTask DisposeAsync()
    {
        await Chunks.SettleAsync();
        foreach (var node in nodes) await node.DisposeAsync();
        await metadata.DisposeAsync();
    }
}
