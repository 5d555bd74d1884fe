using System.Net;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>
/// The controller of one association: an admin queue and the I/O queues that join it. It lives as long as the admin queue, and uses the
/// volume by one session, so that what one host has written, reserved or is limited to is one host's, whatever queue it comes by.
/// </summary>
sealed class Controller : IDisposable
{
    /// <summary>I/O queues of a controller.</summary>
    public const int MaxIoQueues = 128;

    // Who only asks what there is, and names no time, asks at once.
    static readonly TimeSpan LongestDiscoverySilence = TimeSpan.FromMinutes(2);

    readonly NvmeNode node;
    readonly QueuePair admin;
    readonly object gate = new(); // A monitor: it is waited on.
    readonly Dictionary<int, QueuePair> queues = [];
    long pathChanges; // Those that are seen.
    bool isEnding;

    public Controller(
        NvmeNode node,
        int portal,
        QueuePair admin,
        ClientIdentity host,
        Guid hostId,
        IPEndPoint dialled,
        string name,
        NvmeSubsystem? subsystem,
        uint keepAliveMilliseconds)
    {
        this.node = node;
        this.admin = admin;
        Portal = portal;
        pathChanges = node.Paths.ChangesOf(portal);
        Host = host;
        HostId = hostId;
        Dialled = dialled;
        Name = name;
        Subsystem = subsystem;
        KeepAlive = new(node.Time, Expire, IsDiscovery ? LongestDiscoverySilence : TimeSpan.Zero);
        KeepAlive.Set(keepAliveMilliseconds);
        Events = new(admin);
        Notices = new(Events);
        Admin = new(this, node);
    }

    /// <summary>Its number within the node.</summary>
    public ushort Id { get; set; }

    /// <summary>Who it is for.</summary>
    public ClientIdentity Host { get; }

    /// <summary>By which a host with several names is one.</summary>
    public Guid HostId { get; }

    /// <summary>The address of ours that the host has dialled.</summary>
    public IPEndPoint Dialled { get; }

    /// <summary>The portal by which the host has come: its group.</summary>
    public int Portal { get; }

    /// <summary>The address from which the host has come.</summary>
    public IPAddress From => admin.From;

    /// <summary>How it reaches its namespace now.</summary>
    public PathState Path => node.Paths.Of(Portal);

    /// <summary>What it gives access to; null for that of discovery, and until a host has proved what it has to.</summary>
    public NvmeSubsystem? Subsystem { get; private set; }

    /// <summary>Identity of the account by which the host has proved that it may come; null where it need not, or has not.</summary>
    public string? ProvedAs { get; private set; }

    /// <summary>What the host has to prove once more, for another queue or anew; null where it need not.</summary>
    public IReadOnlyList<DhChapAccount>? DemandAgain() => ProvedAs is { } account ? node.DemandAgain(Name, Host, account) : null;

    public bool IsDiscovery => Name == NvmeNames.Discovery;

    /// <summary>Name of the subsystem.</summary>
    public string Name { get; }

    public ControllerProperties Properties { get; } = new();

    public AsynchronousEvents Events { get; }

    public ReservationNotices Notices { get; }

    public AdminCommands Admin { get; }

    public KeepAlive KeepAlive { get; }

    /// <summary>Whether writes may rest in a volatile cache until they are flushed.</summary>
    public bool HasWriteCache { get; set; } = true;

    /// <summary>Begins to listen to the volume, and to the path to it. Its identifier is known.</summary>
    public void Start()
    {
        if (Subsystem is not { } subsystem) return;
        subsystem.Session.Volume.Changed += OnChanged;
        node.Paths.Changed += OnPathsChanged;
        subsystem.Session.Volume.Access.Persistent.Noticed += OnNoticed;
    }

    /// <summary>The host has proved that it may come. On the thread of the admin queue, before any other queue may join.</summary>
    public void Admit(NvmeSubsystem subsystem, string account)
    {
        Invariant.Require(Subsystem is null && !IsDiscovery && !Properties.IsReady);
        ProvedAs = account;
        Subsystem = subsystem;
        Start();
    }

    /// <summary>The host has sent something.</summary>
    public void Heard() => KeepAlive.Heard();

    /// <summary>A connection becomes an I/O queue.</summary>
    public NvmeStatus TryJoin(int id, QueuePair queue)
    {
        lock (gate)
        {
            var status = CheckJoin(id);
            if (status == NvmeStatus.Success) queues.Add(id, queue);
            return status;
        }
    }

    /// <summary>Whether a connection may become an I/O queue now.</summary>
    public NvmeStatus CheckJoin(int id)
    {
        if (id is < 1 or > MaxIoQueues) return NvmeStatus.InvalidQueueIdentifier | NvmeStatus.DoNotRetry;
        lock (gate)
            return isEnding || !Properties.IsReady || queues.ContainsKey(id) ? NvmeStatus.CommandSequenceError : NvmeStatus.Success;
    }

    /// <summary>An I/O queue has ended; nothing of it runs.</summary>
    public void Remove(int id)
    {
        lock (gate)
        {
            Invariant.Require(queues.Remove(id));
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>
    /// Does what the host has asked for by a property. Order: the queues have ended when this returns, so nothing of them lands after the
    /// host was told.
    /// </summary>
    public void Change(ControllerChange change, CancellationToken cancellationToken)
    {
        EndQueues(isDraining: change == ControllerChange.Shutdown, forGood: false);
        if (change == ControllerChange.Shutdown && Subsystem is { } subsystem)
            subsystem.Session.FlushAsync(cancellationToken).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Ends the association.</summary>
    public void End(bool isDraining)
    {
        Events.End();
        EndQueues(isDraining, forGood: true);
        Dispose();
    }

    /// <summary>Lets the volume go, of which nothing runs any more.</summary>
    public void Dispose()
    {
        KeepAlive.Dispose();
        if (Subsystem is not { } subsystem) return;
        node.Paths.Changed -= OnPathsChanged;
        subsystem.Session.Volume.Changed -= OnChanged;
        subsystem.Session.Volume.Access.Persistent.Noticed -= OnNoticed;
        subsystem.Dispose();
    }

    /// <summary>Sees to it that a command of a queue never has effects.</summary>
    public bool TryAbort(int queueId, ushort commandId)
    {
        if (queueId == 0) return admin.TryAbort(commandId);
        lock (gate) return queues.TryGetValue(queueId, out var queue) && queue.TryAbort(commandId);
    }

    void EndQueues(bool isDraining, bool forGood)
    {
        QueuePair[] all;
        lock (gate)
        {
            isEnding |= forGood;
            all = [.. queues.Values];
        }
        // Without the gate, which those take that leave.
        foreach (var queue in all)
        {
            if (isDraining) queue.Drain();
            else queue.Cut();
        }
        lock (gate)
        {
            while (Array.Exists(all, queue => queues.ContainsValue(queue))) Monitor.Wait(gate);
            Invariant.Require(!forGood || queues.Count == 0);
        }
    }

    void Expire()
    {
        node.Report($"nvme: nothing was heard of {Host.Name} at {Host.Address} for its keep alive time: its association with {Name} ends");
        admin.Cut();
    }

    void OnChanged(object? sender, VolumeEventArgs change)
    {
        if (change.Kind == VolumeEventKind.CapacityChanged) Events.Raise(EventKind.NamespaceAttributes);
    }

    void OnNoticed(object? sender, ReservationNoticeEventArgs what)
    {
        if (what.Registrants.Contains(Subsystem!.Session.Registrant)) Notices.Add(what.Notice);
    }

    // Paths by other portals are those of other controllers, which tell of them.
    void OnPathsChanged(object? sender, EventArgs change)
    {
        var changes = node.Paths.ChangesOf(Portal);
        if (Interlocked.Exchange(ref pathChanges, changes) != changes) Events.Raise(EventKind.AsymmetricAccess);
    }
}
