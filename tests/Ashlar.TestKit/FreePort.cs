using System.Net;
using System.Net.Sockets;

namespace Ashlar.TestKit;

/// <summary>
/// A TCP port of 127.0.0.1 that nobody listens on now. Another program may take it in between: where the server can bind to
/// port 0 and tell which it got, prefer that.
/// </summary>
public static class FreePort
{
    public static int Next()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
