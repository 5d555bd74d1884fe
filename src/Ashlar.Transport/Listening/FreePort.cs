using System.Net;
using System.Net.Sockets;

namespace Ashlar.Transport;

/// <summary>Finds a port that is free on several addresses, so that a server has one port wherever it listens.</summary>
public static class FreePort
{
    const int MaxTries = 16;

    /// <summary>A port that was free on each of the addresses just now; nothing keeps another program from taking it.</summary>
    /// <exception cref="SocketException">An address is not one of this machine.</exception>
    public static int On(IReadOnlyList<IPAddress> addresses)
    {
        for (var left = MaxTries; ; left--)
        {
            using var first = Bind(addresses[0], 0);
            var port = ((IPEndPoint)first.LocalEndPoint!).Port;
            try
            {
                foreach (var address in addresses.Skip(1)) Bind(address, port).Dispose();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && left > 1)
            {
                // Another program has it there.
            }
        }
    }

    static Socket Bind(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }
}
