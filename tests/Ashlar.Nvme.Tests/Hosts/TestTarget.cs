using System.Collections.Concurrent;
using System.Net;
using Ashlar.Blocks;
using Ashlar.Scsi.Tests;
using Ashlar.Transport;

namespace Ashlar.Nvme.Tests;

/// <summary>A server on a free port, with one subsystem.</summary>
sealed class TestTarget : INvmeSubsystems, IAsyncDisposable
{
    public const string Name = "nqn.2026-11.io.ashlar:main.test";

    public static readonly Guid Id = new("00112233-4455-6677-8899-aabbccddeeff");

    readonly NvmeServer server;

    public TestTarget(
        ScriptedDevice? device = null, Func<ListenerOptions, ListenerOptions>? configure = null, BufferPool? buffers = null,
        IReservationStore? reservations = null, string? advertise = null, params IPAddress[] addresses)
    {
        Device = device ?? new ScriptedDevice(32768);
        Front = new VolumeFront(Device, reservations: reservations);
        Buffers = buffers ?? new();
        var options = new ListenerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Name = "nvme" };
        if (configure is not null) options = configure(options);
        var first = (IPEndPoint)options.EndPoint;
        if (addresses.Length == 0) addresses = [first.Address];
        Paths = new(addresses.Length);
        server = NvmeServer.Start(
            [.. addresses.Select(address => options with { EndPoint = new IPEndPoint(address, first.Port) })], this, Buffers,
            Reports.Enqueue, advertise, Paths);
    }

    public ScriptedDevice Device { get; }

    public VolumeFront Front { get; }

    public BufferPool Buffers { get; }

    public ConcurrentQueue<string> Reports { get; } = new();

    /// <summary>Whether hosts that come may only read.</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>What hosts have to prove.</summary>
    public Func<ClientIdentity, IReadOnlyList<DhChapAccount>?> Demands { get; init; } = static _ => null;

    /// <summary>What hosts have to prove once more, by what they have proved; null for what is usual.</summary>
    public Func<string, IReadOnlyList<DhChapAccount>?>? DemandsAgain { get; init; }

    public PathStates Paths { get; }

    public IPEndPoint EndPoint => server.EndPoint;

    public NvmeServer Server => server;

    /// <summary>Associations that hold the volume.</summary>
    public int Associations => Front.Sessions.Count;

    /// <summary>A connection that has settled its digests, and nothing more.</summary>
    public NvmeHost Dial(Digests digests = default, byte alignment = 0, int portal = 0) =>
        NvmeHost.Dial(server.EndPoints[portal], digests, alignment);

    /// <summary>An admin queue of a controller that is enabled.</summary>
    public NvmeHost Associate(
        Digests digests = default, string subsystem = Name, uint keepAlive = 0, byte alignment = 0, int portal = 0)
    {
        var host = Dial(digests, alignment, portal);
        host.Connect(0, subsystem, keepAlive: keepAlive).MustSucceed();
        host.Enable();
        return host;
    }

    /// <summary>An I/O queue of an association.</summary>
    public NvmeHost Join(
        NvmeHost admin, int queue = 1, bool flowControl = false, Digests digests = default, byte alignment = 0, int size = 128)
    {
        var host = Dial(digests, alignment);
        host.Connect(queue, Name, admin.ControllerId, flowControl: flowControl, size: size).MustSucceed();
        return host;
    }

    /// <summary>Proves that the server serves others.</summary>
    public void MustServe()
    {
        using var admin = Associate();
        using var queue = Join(admin);
        Assert.Equal(512, queue.Read(0, 1).MustSucceed().Data.Length);
    }

    public IReadOnlyList<string> List(ClientIdentity host) => [Name];

    public IReadOnlyList<DhChapAccount>? Demand(string name, ClientIdentity host) => Demands(host);

    public IReadOnlyList<DhChapAccount>? DemandAgain(string name, ClientIdentity host, string account) =>
        DemandsAgain is { } demands ? demands(account) : [.. (Demands(host) ?? []).Where(each => each.Id == account)];

    public NvmeSubsystem? Open(string name, ClientIdentity host) =>
        name == Name ? new(name, Id, Front.Attach(host, IsReadOnly)) : null;

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await Front.DisposeAsync();
    }
}
