using System.Net;
using System.Net.Sockets;
using Ashlar.Interop.Tests.Server;

namespace Ashlar.Interop.Tests.Guests;

/// <summary>
/// A network path to a portal of a server: a port of the loopback, from which connections are passed on. It can be cut and mended, and
/// stays the same port while the server is another process.
/// </summary>
sealed class PathRelay : IDisposable
{
    readonly Func<IPEndPoint> portal;
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly Lock gate = new();
    readonly HashSet<Socket> sockets = [];
    bool isCut;

    /// <summary>Opens a path.</summary>
    /// <param name="portal">Where connections go, asked for each.</param>
    public PathRelay(Func<IPEndPoint> portal)
    {
        this.portal = portal;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Ends all connections; further ones are ended at once.</summary>
    public void Cut()
    {
        lock (gate)
        {
            isCut = true;
            foreach (var socket in sockets) socket.Dispose();
            sockets.Clear();
        }
    }

    public void Mend()
    {
        lock (gate) isCut = false;
    }

    public void Dispose()
    {
        listener.Dispose();
        Cut();
    }

    async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await listener.AcceptSocketAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return; // The path is given up.
            }
            _ = PassAsync(client);
        }
    }

    async Task PassAsync(Socket client)
    {
        using var near = client;
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        lock (gate)
        {
            if (isCut) return;
            sockets.Add(near);
            sockets.Add(far);
        }
        try
        {
            await far.ConnectAsync(portal());
            await Task.WhenAny(CopyAsync(near, far), CopyAsync(far, near));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or ServerException)
        {
            // Nobody serves there now.
        }
        lock (gate)
        {
            sockets.Remove(near);
            sockets.Remove(far);
        }
    }

    // What ends one direction ends the connection: neither protocol closes by halves.
    static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }
}
