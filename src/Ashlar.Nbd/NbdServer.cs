using System.Net;
using Ashlar.Transport;

namespace Ashlar.Nbd;

/// <summary>An NBD server on one address and port.</summary>
public sealed class NbdServer : IAsyncDisposable
{
    /// <summary>The address and port listened on.</summary>
    public IPEndPoint EndPoint => throw new NotImplementedException();

    /// <summary>Starts to listen.</summary>
    /// <param name="options">Where, and the limits.</param>
    /// <param name="exports">What is served.</param>
    /// <param name="report">Gets a line for each connection that ended in an error.</param>
    /// <exception cref="ListenException">The port is taken.</exception>
    public static NbdServer Start(ListenerOptions options, INbdExports exports, Action<string> report) =>
        throw new NotImplementedException();

    /// <summary>Refuses new clients, finishes what is in flight, closes.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
