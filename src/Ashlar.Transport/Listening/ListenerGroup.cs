using System.Net;

namespace Ashlar.Transport;

/// <summary>Listeners of one server: all of them listen, or none.</summary>
public sealed class ListenerGroup : IAsyncDisposable
{
    readonly IReadOnlyList<StreamListener> listeners;

    ListenerGroup(IReadOnlyList<StreamListener> listeners) => this.listeners = listeners;

    /// <summary>The addresses and ports listened on, in the order of the portals; Unix sockets are not among them.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => [.. listeners.Select(listener => listener.LocalEndPoint).OfType<IPEndPoint>()];

    /// <summary>Connections open now.</summary>
    public int ConnectionCount => listeners.Sum(listener => listener.ConnectionCount);

    /// <summary>Starts to listen.</summary>
    /// <param name="portals">Where, and the limits, of which that of connections is for all together; one at least.</param>
    /// <param name="handlerOf">The handler for the portal of an index.</param>
    /// <param name="report">As for a <see cref="StreamListener"/>.</param>
    /// <exception cref="ListenException">A port is taken; then none is listened on.</exception>
    public static ListenerGroup Start(
        IReadOnlyList<ListenerOptions> portals, Func<int, IConnectionHandler> handlerOf, Action<string> report)
    {
        ArgumentOutOfRangeException.ThrowIfZero(portals.Count, nameof(portals));
        var started = new List<StreamListener>();
        var all = new ConnectionCount();
        try
        {
            for (var i = 0; i < portals.Count; i++) started.Add(StreamListener.Start(portals[i], handlerOf(i), report, all));
            return new(started);
        }
        catch
        {
            foreach (var listener in started) listener.StopAsync(TimeSpan.Zero).GetAwaiter().GetResult();
            throw;
        }
    }

    /// <summary>Stops all: see <see cref="StreamListener.StopAsync"/>.</summary>
    public Task StopAsync(TimeSpan grace) => Task.WhenAll(listeners.Select(listener => listener.StopAsync(grace)));

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(listeners.Select(listener => listener.DisposeAsync().AsTask()));
    }
}
