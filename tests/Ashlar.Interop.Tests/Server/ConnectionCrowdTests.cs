using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Server;

/// <summary>
/// Many who connect and say nothing, or a byte now and then: they take no more than the server has for them, keep nobody out, are sent away
/// when their time is over, and those who came to work go on meanwhile. Many who log in and do nothing.
/// </summary>
public sealed class ConnectionCrowdTests(ITestOutputHelper output)
{
    const long MostGrowthBytes = 200L << 20;

    static readonly int Connections = TestTier.Choose(1_100, 5_500); // To each protocol: more than it has places.
    static readonly int IdleSessions = TestTier.Choose(40, 1_000); // Of each of two protocols.

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void A_crowd_that_says_nothing_or_little_is_bounded_and_disturbs_nobody()
    {
        using var watched = new WatchedServer();
        var server = watched.Server;

        var crowd = new List<Socket>();
        try
        {
            foreach (var endPoint in new[] { server.NbdEndPoint, server.IscsiEndPoint, server.NvmeEndPoint })
            {
                for (var i = 0; i < Connections; i++) crowd.Add(Connect(endPoint));
            }
            var sent = SendByteToEach(crowd);
            watched.Work();
            // All places are taken, by those who say nothing.
            using (var late = server.ConnectNbd("vm1")) late.Flush();
            using (var late = server.ConnectIscsi("vm1", session: 2)) late.Flush();
            var growth = watched.GrowthBytes;
            Assert.InRange(growth, long.MinValue, MostGrowthBytes);
            Assert.InRange(sent, 1_000, crowd.Count); // That many were taken, at least.

            // Whoever has not said hello by then is sent away.
            foreach (var socket in crowd) MustBeSentAway(socket);
            watched.Work();
            using (var late = server.ConnectNbd("vm1")) late.Flush();
            using (var late = server.ConnectIscsi("vm1", session: 2)) late.Flush();
            var left = watched.GrowthBytes;
            Assert.InRange(left, long.MinValue, MostGrowthBytes); // The runtime gives memory back when it likes.
            output.WriteLine(
                JsonSerializer.Serialize(new
                {
                    line = "connections",
                    connections = crowd.Count,
                    silent = sent,
                    growthBytes = growth,
                    leftBytes = left,
                    failures = 0,
                }));
        }
        finally
        {
            foreach (var socket in crowd) socket.Dispose();
        }
        server.Stop();
    }

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void Sessions_that_do_nothing_cost_little_and_keep_their_places_among_silent_connections()
    {
        using var watched = new WatchedServer();
        var server = watched.Server;
        var idle = new List<IBlockClient>();
        var silent = new List<Socket>();
        try
        {
            for (var i = 0; i < IdleSessions; i++)
            {
                idle.Add(server.ConnectNbd("vm1"));
                idle.Add(server.ConnectIscsi("vm1", session: 2 + i));
            }

            for (var i = 0; i < Connections; i++) silent.Add(Connect(server.NbdEndPoint));
            watched.Work();
            var growth = watched.GrowthBytes;
            Assert.InRange(growth, long.MinValue, MostGrowthBytes + (idle.Count * (256L << 10)));
            foreach (var each in idle) each.Flush();
            output.WriteLine(
                JsonSerializer.Serialize(new { line = "idle sessions", sessions = idle.Count, growthBytes = growth, failures = 0 }));
        }
        finally
        {
            foreach (var each in idle) each.Dispose();
            foreach (var socket in silent) socket.Dispose();
        }

        watched.Work();
        server.Stop();
    }

    static Socket Connect(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 120_000 };
        socket.Connect(endPoint);
        return socket;
    }

    /// <summary>The first byte of a hello, from each that is still connected.</summary>
    static int SendByteToEach(List<Socket> crowd)
    {
        var sent = 0;
        foreach (var socket in crowd)
        {
            try
            {
                // One that was refused is closed already, whether or not it takes a byte more.
                if (socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0) continue;
                sent += socket.Send([0]);
            }
            catch (SocketException)
            {
                // Refused.
            }
        }
        return sent;
    }

    static void MustBeSentAway(Socket socket)
    {
        var scratch = new byte[256];
        try
        {
            while (socket.Receive(scratch) > 0)
            {
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // With a byte unread.
        }
    }
}
