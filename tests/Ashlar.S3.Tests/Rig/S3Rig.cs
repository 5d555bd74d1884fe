using System.Net;
using Ashlar.Files;
using Ashlar.KeyValue;
using Ashlar.Simulation;

namespace Ashlar.S3.Tests;

/// <summary>A whole store on a simulated disk, served over S3, with users of two customers.</summary>
sealed class S3Rig : IAsyncDisposable
{
    const string Node = "/node";

    readonly DirectoryNode node;
    readonly BufferPool buffers = new(BufferPool.DefaultBufferBytes, 64);
    readonly Stack<RawConnection> connections = new();
    S3Server server = null!;

    S3Rig()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        Metadata = EmbeddedMetadataStore.Open(
            "/metadata",
            new KeyValueOptions
            {
                FileSystem = disk,
                TimeProvider = Clock,
                Entropy = new SeededEntropy(1),
                MemTableBytes = 4 << 20,
                BlockCacheBytes = 1 << 20,
                SpaceReserveBytes = 0,
            });
        DirectoryNode.Create(disk, Node, new SeededEntropy(2));
        node = DirectoryNode.Open(disk, Node, null, new DirectoryNodeOptions { ReserveBytes = 0 }, Clock, new SeededEntropy(3));
        var options = new ChunkOptions { Copies = 1, Quorum = 1 };
        var nodes = new StorageNodes(null, options);
        nodes.Add(node);
        var pieces = new NodePieces(nodes, buffers, Metadata, new BlockRepair(nodes, buffers, Metadata), options);
        Chunks = new ChunkManager(nodes, buffers, pieces, options);
        Files = new FileService(Metadata, Chunks, new() { TimeProvider = Clock });
    }

    public SimulatedClock Clock { get; } = new();

    public EmbeddedMetadataStore Metadata { get; }

    public ChunkManager Chunks { get; }

    public FileService Files { get; }

    public List<S3Event> Events { get; } = [];

    public IPEndPoint EndPoint => server.EndPoint;

    public string Host => $"127.0.0.1:{EndPoint.Port}";

    public CustomerId Customer { get; private set; }

    public CustomerId OtherCustomer { get; private set; }

    /// <summary>May do all.</summary>
    public TestSigner Owner { get; private set; } = null!;

    /// <summary>May only read.</summary>
    public TestSigner Reader { get; private set; } = null!;

    /// <summary>May only write.</summary>
    public TestSigner Writer { get; private set; } = null!;

    /// <summary>May do all, to the files of another customer.</summary>
    public TestSigner Stranger { get; private set; } = null!;

    public static async Task<S3Rig> CreateAsync(Func<S3ServerOptions, S3ServerOptions>? change = null)
    {
        var rig = new S3Rig();
        rig.Customer = (await rig.Metadata.CreateCustomerAsync("one", Quota.None)).Id;
        rig.OtherCustomer = (await rig.Metadata.CreateCustomerAsync("two", Quota.None)).Id;
        const FileRights all = FileRights.Read | FileRights.Write | FileRights.Administer;
        rig.Owner = await rig.CreateUserAsync(rig.Customer, "owner", all);
        rig.Reader = await rig.CreateUserAsync(rig.Customer, "reader", FileRights.Read);
        rig.Writer = await rig.CreateUserAsync(rig.Customer, "writer", FileRights.Write);
        rig.Stranger = await rig.CreateUserAsync(rig.OtherCustomer, "stranger", all);
        var options = new S3ServerOptions
        {
            Portals = [new(IPAddress.Loopback, 0)],
            Files = rig.Files,
            Metadata = rig.Metadata,
            TimeProvider = rig.Clock,
            Entropy = new SeededEntropy(4),
            MinPartBytes = 1000,
            Log = happened => { lock (rig.Events) rig.Events.Add(happened); },
        };
        rig.server = await S3Server.StartAsync(change is null ? options : change(options));
        return rig;
    }

    public async Task<TestSigner> CreateUserAsync(CustomerId customer, string name, FileRights rights, DateTimeOffset? expiresAt = null)
    {
        await Metadata.CreateUserAsync(customer, name, rights);
        var key = await Metadata.CreateKeyAsync(customer, name, expiresAt);
        return new(key.Id, key.Secret, Clock.GetUtcNow);
    }

    /// <summary>A request to this server.</summary>
    public S3Call Call(string method, string path) => new(method, path) { Headers = [("host", Host)] };

    /// <summary>Signs a request as the owner, and sends it.</summary>
    public Task<RawResponse> RunAsync(S3Call call) => SendAsync(Owner.Sign(call));

    public Task<RawResponse> RunAsync(string method, string path, string body = "") => RunAsync(Call(method, path).Send(body));

    /// <summary>Sends a request as it is.</summary>
    public async Task<RawResponse> SendAsync(S3Call call)
    {
        for (var attempt = 0; ; attempt++)
        {
            var connection = Take();
            try
            {
                await connection.SendAsync(call.ToBytes());
            }
            catch (System.Net.Sockets.SocketException)
            {
                // The server has answered and closed: the answer counts.
            }

            var response = await connection.ReceiveAsync(call.Method != "HEAD");
            Return(connection);
            // A connection that was kept may have been closed meanwhile.
            if (response is not null) return response.Status == 500 ? throw new InvalidOperationException(LastFailure()) : response;
            if (attempt == 3) throw new IOException($"{call.Method} {call.Target}: no answer");
        }
    }

    /// <summary>All names and what they hold, to see that nothing has changed.</summary>
    public async Task<string> DescribeAsync()
    {
        var lines = new List<string>();
        foreach (var customer in (CustomerId[])[Customer, OtherCustomer])
        {
            var page = await Metadata.ListAsync(customer, new() { IsRecursive = true, Limit = 10_000 });
            foreach (var entry in page.Entries)
            {
                var described = await Metadata.DescribeAsync(customer, entry.Path);
                lines.Add(
                    $"{customer} {entry.Kind} {entry.Path} {entry.SizeBytes} {entry.Tag} {entry.IsImplicit} {entry.UpdatedAt:O} "
                    + $"{described!.Properties}");
            }

            foreach (var intent in await Metadata.ListIntentsAsync(customer, null, false, 1000))
            {
                lines.Add($"{customer} upload {intent.Token.Id} {intent.Path} {intent.IsReleased}");
                foreach (var part in await Metadata.ListPartsAsync(customer, intent.Token.Id, 0, 1000)) lines.Add(
                    $"  part {part.Number} {part.Tag}");
            }
        }

        return string.Join('\n', lines);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in connections) connection.Dispose();
        await server.DisposeAsync();
        await node.DisposeAsync();
        await Metadata.DisposeAsync();
    }

    string LastFailure()
    {
        lock (Events) return Events.FindLast(happened => happened.Kind == S3EventKind.Failed)?.Message ?? "nothing was logged";
    }

    RawConnection Take()
    {
        lock (connections)
        {
            if (connections.TryPop(out var kept)) return kept;
        }

        return new(EndPoint);
    }

    void Return(RawConnection connection)
    {
        if (!connection.IsOpen)
        {
            connection.Dispose();
            return;
        }

        lock (connections) connections.Push(connection);
    }
}
