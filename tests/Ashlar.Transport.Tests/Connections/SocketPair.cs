using System.Net;
using System.Net.Sockets;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Connections;

/// <summary>A connection without its listener, so that one thread decides what has arrived when.</summary>
sealed class SocketPair : IDisposable
{
    public SocketPair()
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        Client = new((IPEndPoint)listening.LocalEndPoint!);
        Connection = new(listening.Accept(), 1, ListenerFixture.Options with { TransferTimeout = ListenerFixture.Limit });
        Connection.HandshakeCompleted();
    }

    public Client Client { get; }

    public Connection Connection { get; }

    public void Dispose()
    {
        Connection.Dispose();
        Client.Dispose();
    }
}
