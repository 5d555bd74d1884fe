using System.Net;
using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>NVMe over TCP behind any number of portals (NVM Express NVMe/TCP Transport Specification 1.0).</summary>
public sealed class NvmeServer : IAsyncDisposable
{
    readonly ListenerGroup listeners;
    readonly ReportLimiter reports;

    NvmeServer(ListenerGroup listeners, NvmeNode node, ReportLimiter reports)
    {
        this.listeners = listeners;
        this.reports = reports;
        Node = node;
    }

    /// <summary>The addresses and ports listened on; each port is a real one even where 0 was asked for.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => listeners.EndPoints;

    /// <summary>The first address and port.</summary>
    public IPEndPoint EndPoint => EndPoints[0];

    /// <summary>Connections open now: one for each queue of a host.</summary>
    public int ConnectionCount => listeners.ConnectionCount;

    internal NvmeNode Node { get; }

    /// <summary>Starts to listen.</summary>
    /// <param name="portals">Where, and the limits; one at least. The numbers are those of <paramref name="paths"/>, in order.</param>
    /// <param name="subsystems">What is served.</param>
    /// <param name="buffers">The memory for commands, which other protocols may share.</param>
    /// <param name="report">Gets a line for each connection that ended in an error. Called from any thread.</param>
    /// <param name="advertise">
    /// Name or address, without a port, that discovery answers instead of those of the portals; null for these.
    /// </param>
    /// <param name="paths">How namespaces are reached through each of the portals; null where all are the best, numbered from 1.</param>
    /// <param name="entropy">Where challenges come from; the system's where null.</param>
    /// <exception cref="ListenException">A port is taken; then none is listened on.</exception>
    public static NvmeServer Start(
        IReadOnlyList<ListenerOptions> portals,
        INvmeSubsystems subsystems,
        BufferPool buffers,
        Action<string> report,
        string? advertise = null,
        IPathStates? paths = null,
        IEntropySource? entropy = null)
    {
        paths ??= new PathStates(portals.Count);
        Invariant.Require(paths.Groups.Count == portals.Count);
        var reports = new ReportLimiter("nvme", report, TimeProvider.System);
        var node = new NvmeNode(
            subsystems, buffers, portals[0].TimeProvider, reports.Report, entropy ?? SystemEntropy.Instance, paths);
        var listeners = ListenerGroup.Start(portals, i => new NvmeConnectionHandler(node, portal: paths.Groups[i]), reports.Report);
        node.Portals = new([.. listeners.EndPoints.Select((endPoint, i) => new PortalAddress(endPoint, paths.Groups[i]))], advertise);
        return new(listeners, node, reports);
    }

    /// <summary>Refuses new hosts, finishes what is in flight for at most <paramref name="grace"/>, closes.</summary>
    public Task StopAsync(TimeSpan grace) => listeners.StopAsync(grace);

    /// <summary>Refuses new hosts, finishes what is in flight, closes.</summary>
    public async ValueTask DisposeAsync()
    {
        await listeners.DisposeAsync();
        reports.Dispose();
    }
}
