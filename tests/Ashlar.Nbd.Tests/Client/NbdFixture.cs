using System.Net;
using Ashlar.Blocks;
using Ashlar.Transport;

namespace Ashlar.Nbd.Tests.Client;

/// <summary>A server on a free port of this machine, with one export named "disk" that is also the default.</summary>
sealed class NbdFixture : INbdExports, IAsyncDisposable
{
    readonly List<string> reports = [];
    readonly Dictionary<string, VolumeFront> fronts = new(StringComparer.Ordinal);

    public NbdFixture(
        IBlockDevice? device = null, TimeSpan? handshakeTimeout = null, TimeSpan? transferTimeout = null, int maxConnections = 64,
        BufferPool? buffers = null, TimeProvider? clock = null, NbdTls? tls = null)
    {
        Buffers = buffers ?? new();
        Device = device as TestDevice ?? new TestDevice();
        fronts["disk"] = new(device ?? Device, clock);
        Server = NbdServer.Start(
            [new ListenerOptions
            {
                EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
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
            },
            tls);
    }

    public NbdServer Server { get; }

    /// <summary>The memory of all clients.</summary>
    public BufferPool Buffers { get; }

    /// <summary>The device, unless another kind was given.</summary>
    public TestDevice Device { get; }

    /// <summary>Exports in use.</summary>
    public int Leases => fronts.Values.Sum(front => front.Sessions.Count);

    public IReadOnlyList<string> Reports
    {
        get
        {
            lock (reports) return [.. reports];
        }
    }

    public void Add(string name, IBlockDevice device) => fronts[name] = new(device);

    /// <summary>Snapshots since which it is known what has changed, by name.</summary>
    public Dictionary<string, IChangeMap> Origins { get; } = new(StringComparer.Ordinal);

    /// <summary>How often somebody wanted to know them.</summary>
    public int OriginsAsked { get; private set; }

    /// <summary>Instead of what <see cref="Origins"/> has.</summary>
    public Func<string, IChangeMap?>? OpenChanges { get; set; }

    public VolumeFront Front(string name = "disk") => fronts[name];

    public void Remove(string name) => fronts.Remove(name);

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

    IReadOnlyList<string> INbdExports.List(ClientIdentity client) => [.. fronts.Keys];

    NbdExportInfo? INbdExports.Find(string name, ClientIdentity client) => fronts.TryGetValue(Canonical(name), out var front)
        ? new(Canonical(name), front.Geometry.SizeBytes, front.Device.IsReadOnly, "a disk for tests")
        : null;

    NbdExport? INbdExports.Open(string name, ClientIdentity client) => ((INbdExports)this).Find(name, client) is { } info
        ? new(info, fronts[info.Name].Attach(client)) { OpenChanges = OpenChanges ?? Origins.GetValueOrDefault }
        : null;

    IReadOnlyList<string> INbdExports.ListOrigins(string name, ClientIdentity client)
    {
        OriginsAsked++;
        return [.. Origins.Keys];
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    static string Canonical(string name) => name.Length == 0 ? "disk" : name;
}
