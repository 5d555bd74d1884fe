using System.Net;
using Ashlar.Nbd.Negotiation;
using Ashlar.Transport;

namespace Ashlar.Nbd;

/// <summary>An NBD server on one address and port (NetworkBlockDevice/nbd, doc/proto.md).</summary>
public sealed class NbdServer : IAsyncDisposable
{
    readonly StreamListener listener;

    NbdServer(StreamListener listener) => this.listener = listener;

    /// <summary>The address and port listened on; the port is a real one even where 0 was asked for.</summary>
    public IPEndPoint EndPoint => listener.EndPoint;

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => listener.ConnectionCount;

    /// <summary>Starts to listen.</summary>
    /// <param name="options">Where, and the limits.</param>
    /// <param name="exports">What is served.</param>
    /// <param name="report">Gets a line for each connection that ended in an error.</param>
    /// <exception cref="ListenException">The port is taken.</exception>
    public static NbdServer Start(ListenerOptions options, INbdExports exports, Action<string> report) =>
        new(StreamListener.Start(options, new Handler(exports, report), report));

    /// <summary>Refuses new clients, finishes what is in flight for at most <paramref name="grace"/>, closes.</summary>
    public Task StopAsync(TimeSpan grace) => listener.StopAsync(grace);

    /// <summary>Refuses new clients, finishes what is in flight, closes.</summary>
    public ValueTask DisposeAsync() => listener.DisposeAsync();

    sealed class Handler(INbdExports exports, Action<string> report) : IConnectionHandler
    {
        readonly BufferPool buffers = new();

        public void Serve(Connection connection, CancellationToken draining)
        {
            using var session = Handshake.Run(connection, exports, draining);
            if (session is null) return;
            connection.HandshakeCompleted();
            using var transmission = new Transmission.Transmission(connection, session, buffers, report);
            transmission.Run(draining);
        }
    }
}
