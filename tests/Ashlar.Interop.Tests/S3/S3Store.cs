using System.Collections.Concurrent;
using System.Net;
using Ashlar.Files;
using Ashlar.S3;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3;

/// <summary>A store on three nodes in a real directory, served over S3 to the programs of this machine.</summary>
sealed class S3Store : IAsyncDisposable
{
    public const string KeyId = "ASHLARTESTKEY0000001", Secret = "ashlar-test-secret-of-forty-characters-1";

    public const string OtherKeyId = "ASHLARTESTKEY0000002", OtherSecret = "ashlar-test-secret-of-forty-characters-2";

    readonly TemporaryDirectory directory = new();
    readonly List<DirectoryNode> nodes = [];
    readonly BufferPool buffers = new(BufferPool.DefaultBufferBytes, 128);
    readonly ConcurrentQueue<S3Event> events = new();
    readonly EmbeddedMetadataStore metadata;
    S3Server server = null!;

    S3Store()
    {
        metadata = EmbeddedMetadataStore.Open($"{directory}/metadata");
        var known = new StorageNodes();
        for (var i = 0; i < 3; i++)
        {
            var path = $"{directory}/node{i}";
            DirectoryNode.Create(FileSystems.Real, path);
            nodes.Add(DirectoryNode.Open(FileSystems.Real, path, null, new() { ReserveBytes = 0 }));
            known.Add(nodes[i], $"{i}");
        }

        var pieces = new NodePieces(known, buffers, metadata, new BlockRepair(known, buffers, metadata));
        Files = new FileService(metadata, new ChunkManager(known, buffers, pieces));
    }

    public FileService Files { get; }

    public CustomerId Customer { get; private set; }

    public string Url => $"http://127.0.0.1:{server.EndPoint.Port}";

    public int Port => server.EndPoint.Port;

    /// <summary>A directory for the clients' files.</summary>
    public string Work => $"{directory}/work";

    /// <summary>What failed in the server and was not a client's fault.</summary>
    public IEnumerable<string> Failures => events.Where(one => one.Kind == S3EventKind.Failed).Select(one => one.Message);

    public static async Task<S3Store> StartAsync()
    {
        var store = new S3Store();
        store.Customer = (await store.metadata.CreateCustomerAsync("customer", Quota.None)).Id;
        await store.metadata.CreateUserAsync(store.Customer, "user", FileRights.Read | FileRights.Write | FileRights.Administer);
        await store.metadata.CreateKeyAsync(store.Customer, "user", null, new(KeyId, Secret));
        var other = (await store.metadata.CreateCustomerAsync("other", Quota.None)).Id;
        await store.metadata.CreateUserAsync(other, "user", FileRights.Read | FileRights.Write | FileRights.Administer);
        await store.metadata.CreateKeyAsync(other, "user", null, new(OtherKeyId, OtherSecret));
        Directory.CreateDirectory(store.Work);
        store.server = await S3Server.StartAsync(new()
        {
            Portals = [new(IPAddress.Loopback, 0)],
            Files = store.Files,
            Metadata = store.metadata,
            Log = store.events.Enqueue,
        });
        return store;
    }

    /// <summary>Requests that brought content since the last call.</summary>
    public int TakeUploads()
    {
        var count = 0;
        while (events.TryPeek(out var next) && next.Kind == S3EventKind.Answered && events.TryDequeue(out _))
        {
            if (next.Message.StartsWith("PUT ", StringComparison.Ordinal) || next.Message.StartsWith(
                "POST ", StringComparison.Ordinal)) count++;
        }

        return count;
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        foreach (var node in nodes) await node.DisposeAsync();
        await metadata.DisposeAsync();
        directory.Dispose();
    }
}
