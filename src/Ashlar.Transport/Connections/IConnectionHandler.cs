namespace Ashlar.Transport;

/// <summary>Speaks one protocol on one connection.</summary>
public interface IConnectionHandler
{
    /// <summary>
    /// Serves a connection until its end, on a thread of its own. Returning closes it; an exception closes it and is
    /// reported. When <paramref name="draining"/> fires, <see cref="Connection.WaitForData"/> returns false: the handler
    /// finishes what is in flight and returns; a little later the connection is cut.
    /// </summary>
    void Serve(Connection connection, CancellationToken draining);
}
