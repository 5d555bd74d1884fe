using System.Net;
using System.Net.Sockets;

namespace Ashlar.Transport;

/// <summary>Finds a port that is free on several addresses, so that a server has one port wherever it listens.</summary>
public static class FreePort
{
    const int MaxTries = 16;

    /// <summary>A port that was free on each of the addresses just now; nothing keeps another program from taking it.</summary>
    /// <param name="listener">Name of the protocol that is to listen, for the message.</param>
    /// <param name="addresses">One at least.</param>
    /// <exception cref="ListenException">An address is not one of this machine, or no port is free.</exception>
    public static int On(string listener, IReadOnlyList<IPAddress> addresses)
    {
        for (var left = MaxTries; ; left--)
        {
            using var first = Bind(listener, new(addresses[0], 0));
            var port = ((IPEndPoint)first.LocalEndPoint!).Port;
            try
            {
                foreach (var address in addresses.Skip(1)) Bind(listener, new(address, port)).Dispose();
                return port;
            }
            catch (ListenException e) when (e.IsTaken && left > 1)
            {
                // Another program has it there.
            }
        }
    }

    static Socket Bind(string listener, IPEndPoint endPoint)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endPoint);
            return socket;
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw new ListenException(listener, endPoint.ToString(), e);
        }
    }
}
