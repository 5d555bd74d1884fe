using System.Net;
using Ashlar.Blocks;
using Ashlar.Transport;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>A server on a free port of this machine, with one export named "disk" that is also the default.</summary>
sealed class NbdFixture : INbdExports, IAsyncDisposable
{
    readonly List<string> reports = [];
    readonly Dictionary<string, BlockDriver> drivers = new(StringComparer.Ordinal);
    int leases;

    public NbdFixture(IBlockDevice? device = null, TimeSpan? handshakeTimeout = null, TimeSpan? transferTimeout = null, int maxConnections = 64,
        BufferPool? buffers = null)
    {
        Buffers = buffers ?? new();
        Device = device as TestDevice ?? new TestDevice();
        drivers["disk"] = new(device ?? Device);
        Server = NbdServer.Start(
            [new ListenerOptions
            {
                EndPoint = new(IPAddress.Loopback, 0),
                Name = "nbd",
                MaxConnections = maxConnections,
                HandshakeTimeout = handshakeTimeout ?? TimeSpan.FromSeconds(10),
                TransferTimeout = transferTimeout ?? TimeSpan.FromSeconds(30),
            }],
            this,
            Buffers,
            line =>
            {
                lock (reports) reports.Add(line);
            });
    }

    public NbdServer Server { get; }

    /// <summary>The memory of all clients.</summary>
    public BufferPool Buffers { get; }

    /// <summary>The device, unless another kind was given.</summary>
    public TestDevice Device { get; }

    /// <summary>Exports in use.</summary>
    public int Leases => Volatile.Read(ref leases);

    public IReadOnlyList<string> Reports
    {
        get
        {
            lock (reports) return [.. reports];
        }
    }

    public void Add(string name, IBlockDevice device) => drivers[name] = new(device);

    public void Remove(string name) => drivers.Remove(name);

    public string Uri(string name) => $"nbd://{Server.EndPoint}/{name}";

    /// <summary>A client before the greeting.</summary>
    public NbdClient Dial() => new(Server.EndPoint);

    /// <summary>A client that has an export open.</summary>
    public NbdClient Open(string name = "disk", bool structured = true, bool blockStatus = false)
    {
        var client = Dial();
        client.Greet();
        if (structured) client.RequestStructuredReplies();
        if (blockStatus) client.SelectBaseAllocation(name);
        client.Go(name);
        return client;
    }

    IReadOnlyList<string> INbdExports.List() => [.. drivers.Keys];

    NbdExport? INbdExports.Open(string name)
    {
        if (!drivers.TryGetValue(name.Length == 0 ? "disk" : name, out var driver)) return null;
        Interlocked.Increment(ref leases);
        return new(name.Length == 0 ? "disk" : name, driver, "a disk for tests", new Lease(this));
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    sealed class Lease(NbdFixture fixture) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref fixture.leases);
    }
}
