using System.Collections.Concurrent;
using System.Net;
using Ashlar.Blocks;
using Ashlar.Scsi.Tests;
using Ashlar.Transport;

namespace Ashlar.Iscsi.Tests;

/// <summary>A server on a free port, with one target of one unit unless the test adds more.</summary>
sealed class TestTarget : IIscsiTargets, IAsyncDisposable
{
    public const string Name = "iqn.2026-11.io.ashlar:main.test";

    readonly ConcurrentDictionary<string, IReadOnlyList<TestLun>> targets = new();
    readonly IscsiServer server;

    public TestTarget(
        ScriptedDevice? device = null, Func<ListenerOptions, ListenerOptions>? configure = null, int portalCount = 1,
        BufferPool? buffers = null, TimeProvider? clock = null, string? advertise = null, IPathStates? paths = null)
    {
        Buffers = buffers ?? new();
        Device = device ?? new ScriptedDevice(32768);
        Front = new VolumeFront(Device, clock);
        targets[Name] = [new(0, new Guid("00112233-4455-6677-8899-aabbccddeeff"), Front)];
        var options = new ListenerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Name = "iscsi" };
        if (configure is not null) options = configure(options);
        server = IscsiServer.Start([.. Enumerable.Repeat(options, portalCount)], this, Buffers, Reports.Enqueue, advertise, paths);
    }

    public ScriptedDevice Device { get; }

    /// <summary>The memory of all sessions.</summary>
    public BufferPool Buffers { get; }

    public VolumeFront Front { get; }

    public ConcurrentQueue<string> Reports { get; } = new();

    public IPEndPoint EndPoint => server.EndPoint;

    public string Url => $"iscsi://{EndPoint}/{Name}/0";

    /// <summary>Sessions that hold a target open.</summary>
    public int Leases => targets.Values.SelectMany(luns => luns).Select(lun => lun.Front).Distinct().Sum(front => front.Sessions.Count);

    public IscsiServer Server => server;

    public void Add(string name, params TestLun[] luns) => targets[name] = luns;

    public Initiator Connect() => new(EndPoint);

    public Initiator LogIn(string initiator = "iqn.2026-11.test:one", ulong isid = 0x8000_0000_0001, string? keys = null)
    {
        var result = Connect();
        result.LogIn(initiator, isid, keys: keys);
        result.ClearAttention();
        return result;
    }

    /// <summary>What initiators have to prove of a target, or of discovery where that is null.</summary>
    public Func<string?, ClientIdentity, ChapDemand?> Demands { get; set; } = static (_, _) => null;

    /// <summary>Who was let in to what, in the order in which they came.</summary>
    public ConcurrentQueue<ClientIdentity> Opened { get; } = new();

    public IReadOnlyList<string> List(ClientIdentity initiator) =>
        [.. targets.Keys.Where(name => initiator.User is not null || Demands(name, initiator) is null).Order(StringComparer.Ordinal)];

    public ChapDemand? Demand(string? target, ClientIdentity initiator) => Demands(target, initiator);

    public IscsiTarget? Open(string target, ClientIdentity initiator)
    {
        Opened.Enqueue(initiator);
        return target.ToLowerInvariant() is var name && targets.TryGetValue(name, out var luns)
            ? new(name, [.. luns.Select(lun => new IscsiLun(lun.Number, lun.Id, lun.Front.Attach(initiator)))])
            : null;
    }

    /// <summary>Proves that the server serves others.</summary>
    public void MustServe()
    {
        using var other = LogIn("iqn.2026-11.test:witness", isid: 0x8000_0000_9999);
        Assert.Equal(512, other.Read(0, 1).Length);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await Front.DisposeAsync();
    }
}

/// <summary>A unit of a target for tests.</summary>
sealed record TestLun(int Number, Guid Id, VolumeFront Front);
