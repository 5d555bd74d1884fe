using System.Net;
using System.Net.Sockets;

namespace Ashlar.Transport.Tests.Echo;

/// <summary>A plain socket. No wait on it is longer than <see cref="ListenerFixture.Limit"/>.</summary>
sealed class Client : IDisposable
{
    public Client(IPEndPoint server)
    {
        Socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Socket.ReceiveTimeout = Socket.SendTimeout = (int)ListenerFixture.Limit.TotalMilliseconds;
        Socket.Connect(server);
    }

    public Socket Socket { get; }

    public void Send(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty) data = data[Socket.Send(data)..];
    }

    public byte[] Receive(int byteCount)
    {
        var data = new byte[byteCount];
        for (var at = 0; at < byteCount;)
        {
            var received = Socket.Receive(data.AsSpan(at));
            Assert.True(received > 0, $"the connection ended after {at} of {byteCount} bytes");
            at += received;
        }
        return data;
    }

    public void MustEcho(ReadOnlySpan<byte> content)
    {
        var unit = EchoProtocol.UnitOf(content);
        Send(unit);
        Assert.Equal(unit, Receive(unit.Length));
    }

    /// <summary>Waits for the end, orderly or by a reset.</summary>
    /// <returns>The number of bytes that came before it.</returns>
    public long MustBeCutOff()
    {
        var before = 0L;
        var scrap = new byte[64 << 10];
        try
        {
            for (int received; (received = Socket.Receive(scrap)) > 0;) before += received;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            // The server had not read everything when it closed.
        }
        return before;
    }

    /// <summary>Waits for the orderly end: nothing comes before it.</summary>
    public void MustEnd() => Assert.Equal(0, Socket.Receive(new byte[1]));

    /// <summary>Sends zeros again and again, a little at a time, until the server has had enough.</summary>
    public void DripUntilCutOff(int dripBytes = 1)
    {
        var drip = new byte[dripBytes];
        var patience = Environment.TickCount64 + (long)ListenerFixture.Limit.TotalMilliseconds;
        try
        {
            while (Environment.TickCount64 < patience) Socket.Send(drip);
        }
        catch (SocketException)
        {
            return;
        }
        Assert.Fail("the server put up with it");
    }

    /// <summary>Leaves without goodbye: the server sees a reset.</summary>
    public void Vanish()
    {
        Socket.LingerState = new(enable: true, seconds: 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();
}
