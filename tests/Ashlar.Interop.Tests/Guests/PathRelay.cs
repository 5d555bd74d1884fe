using System.Net;
using System.Net.Sockets;
using Ashlar.Interop.Tests.Server;

namespace Ashlar.Interop.Tests.Guests;

/// <summary>
/// A network path to a portal of a server: a port of the loopback, from which connections are passed on. It can be cut and mended, and
/// stays the same port while the server is another process. Where nobody serves connections are refused, as they are by a machine: the
/// kernel's initiator of iSCSI may never come back after one that was taken and ended before it had logged in (open-iscsi, issue 387).
/// </summary>
sealed class PathRelay : IDisposable
{
    readonly Func<IPEndPoint> portal;
    readonly Lock gate = new();
    readonly HashSet<Socket> sockets = [];
    TcpListener? listener;

    /// <summary>Opens a path.</summary>
    /// <param name="portal">Where connections go, asked for each.</param>
    public PathRelay(Func<IPEndPoint> portal)
    {
        this.portal = portal;
        Mend();
    }

    public int Port { get; private set; }

    /// <summary>Refuses further connections.</summary>
    public void Close()
    {
        lock (gate)
        {
            listener?.Dispose();
            listener = null;
        }
    }

    /// <summary>Refuses further connections and ends all that there are.</summary>
    public void Cut()
    {
        Close();
        lock (gate)
        {
            foreach (var socket in sockets) socket.Dispose();
            sockets.Clear();
        }
    }

    /// <summary>Takes connections, by the same port as before.</summary>
    public void Mend()
    {
        lock (gate)
        {
            if (listener is not null) return;
            var opened = new TcpListener(IPAddress.Loopback, Port);
            opened.Start();
            Port = ((IPEndPoint)opened.LocalEndpoint).Port;
            listener = opened;
            _ = AcceptAsync(opened);
        }
    }

    public void Dispose() => Cut();

    async Task AcceptAsync(TcpListener from)
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await from.AcceptSocketAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return; // No more are taken.
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
            if (listener is null) return;
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
