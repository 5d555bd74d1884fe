using System.Net;
using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>An iSCSI node behind any number of portals (RFC 7143).</summary>
public sealed class IscsiServer : IAsyncDisposable
{
    readonly ListenerGroup listeners;
    readonly ReportLimiter reports;

    IscsiServer(ListenerGroup listeners, IscsiNode node, ReportLimiter reports)
    {
        this.listeners = listeners;
        this.reports = reports;
        Node = node;
    }

    /// <summary>The addresses and ports listened on, in the order of their portal group tags; each port is a real one.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => listeners.EndPoints;

    /// <summary>The first address and port.</summary>
    public IPEndPoint EndPoint => EndPoints[0];

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => listeners.ConnectionCount;

    internal IscsiNode Node { get; }

    /// <summary>Starts to listen.</summary>
    /// <param name="portals">Where, and the limits; one at least. The groups are those of <paramref name="paths"/>, in order.</param>
    /// <param name="targets">What is served.</param>
    /// <param name="buffers">The memory for commands, which other protocols may share.</param>
    /// <param name="report">Gets a line for each connection that ended in an error. Called from any thread.</param>
    /// <param name="advertise">
    /// Name or address, without a port, that discovery answers instead of those of the portals; null for these.
    /// </param>
    /// <param name="paths">How units are reached through each of the portals; null where all are the best, numbered from 1.</param>
    /// <param name="entropy">Where challenges of initiators come from; null for the system's chance.</param>
    /// <exception cref="ListenException">A port is taken; then none is listened on.</exception>
    public static IscsiServer Start(
        IReadOnlyList<ListenerOptions> portals,
        IIscsiTargets targets,
        BufferPool buffers,
        Action<string> report,
        string? advertise = null,
        IPathStates? paths = null,
        IEntropySource? entropy = null)
    {
        paths ??= new PathStates(portals.Count);
        Invariant.Require(paths.Groups.Count == portals.Count);
        var reports = new ReportLimiter("iscsi", report, TimeProvider.System);
        var node = new IscsiNode(targets, buffers, reports.Report, entropy ?? SystemEntropy.Instance, paths);
        var listeners = ListenerGroup.Start(portals, i => new IscsiPortal(node, portalGroupTag: paths.Groups[i]), reports.Report);
        node.Portals = new([.. listeners.EndPoints.Select((endPoint, i) => new PortalAddress(endPoint, paths.Groups[i]))], advertise);
        node.Paths.Changed += node.PathsChanged;
        return new(listeners, node, reports);
    }

    /// <summary>Refuses new initiators, finishes what is in flight, tells the initiators, closes.</summary>
    public async ValueTask DisposeAsync()
    {
        Node.Paths.Changed -= Node.PathsChanged;
        await listeners.DisposeAsync();
        reports.Dispose();
    }
}
