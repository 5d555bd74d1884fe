using Ashlar.Nbd.Negotiation;
using Ashlar.Transport;

namespace Ashlar.Nbd;

/// <summary>Speaks the protocol with one client: handshake, then requests.</summary>
sealed class NbdConnectionHandler(INbdExports exports, BufferPool buffers, Action<string> report, NbdTls? tls = null) : IConnectionHandler
{
    public void Serve(Connection connection, CancellationToken draining)
    {
        using var session = Handshake.Run(connection, exports, tls, draining);
        if (session is null) return;
        // A client that is cut off gets what is under way, and then the end of its connection.
        using var fenced = session.Export.Session.Fenced.UnsafeRegister(
            static state => ((Connection)state!).Drain(), connection);
        using var share = buffers.OpenShare();
        using var transmission = new Transmission.Transmission(connection, session, share, report);
        transmission.Run(draining);
    }
}
