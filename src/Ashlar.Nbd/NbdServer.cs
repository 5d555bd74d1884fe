using System.Net;
using Ashlar.Transport;

namespace Ashlar.Nbd;

/// <summary>An NBD server on any number of addresses and ports (NetworkBlockDevice/nbd, doc/proto.md).</summary>
public sealed class NbdServer : IAsyncDisposable
{
    readonly ListenerGroup listeners;
    readonly ReportLimiter reports;

    NbdServer(ListenerGroup listeners, ReportLimiter reports)
    {
        this.listeners = listeners;
        this.reports = reports;
    }

    /// <summary>The addresses and ports listened on; each port is a real one even where 0 was asked for.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => listeners.EndPoints;

    /// <summary>The first address and port.</summary>
    public IPEndPoint EndPoint => EndPoints[0];

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => listeners.ConnectionCount;

    /// <summary>Starts to listen.</summary>
    /// <param name="portals">Where, and the limits; one at least.</param>
    /// <param name="exports">What is served.</param>
    /// <param name="buffers">The memory for requests, which other protocols may share.</param>
    /// <param name="report">Gets a line for each connection that ended in an error.</param>
    /// <param name="tls">How TLS is spoken; null where it is not.</param>
    /// <exception cref="ListenException">A port is taken; then none is listened on.</exception>
    public static NbdServer Start(
        IReadOnlyList<ListenerOptions> portals, INbdExports exports, BufferPool buffers, Action<string> report, NbdTls? tls = null)
    {
        var reports = new ReportLimiter("nbd", report, TimeProvider.System);
        var handler = new NbdConnectionHandler(exports, buffers, reports.Report, tls);
        return new(ListenerGroup.Start(portals, _ => handler, reports.Report), reports);
    }

    /// <summary>Refuses new clients, finishes what is in flight for at most <paramref name="grace"/>, closes.</summary>
    public Task StopAsync(TimeSpan grace) => listeners.StopAsync(grace);

    /// <summary>Refuses new clients, finishes what is in flight, closes.</summary>
    public async ValueTask DisposeAsync()
    {
        await listeners.DisposeAsync();
        reports.Dispose();
    }
}
