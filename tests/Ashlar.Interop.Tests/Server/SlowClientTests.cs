using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Server;

/// <summary>
/// Clients that ask for thousands of reads and take none, or stop in the middle of what they send: the server's memory stays bounded, and
/// those who came to work go on. (That each is dropped at its deadline is shown on a simulated clock, in the tests of the protocols.)
/// </summary>
public sealed class SlowClientTests(ITestOutputHelper output)
{
    const int Reads = 10_000, ReadBytes = 64 << 10;
    const long MostGrowthBytes = 400L << 20; // The budget of all clients is 256 MiB; each has a thread and buffers besides.

    static readonly int Slow = TestTier.Choose(50, 500); // Of each kind.

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void Many_that_never_read_or_stop_in_the_middle_take_no_more_than_their_share_and_hold_up_nobody()
    {
        using var watched = new WatchedServer();
        var server = watched.Server;
        var worked = 0;

        var slow = new List<Socket>();
        try
        {
            var asked = 0L;
            for (var i = 0; i < Slow; i++)
            {
                var reader = Open(server, slow);
                reader.ReceiveBufferSize = 4096;
                asked += SendWhatIsTaken(reader, Pipelined(Reads));
                var writer = Open(server, slow);
                Send(writer, [.. Request(1, 0, 1 << 20), 1, 2, 3]);
                var login = new Socket(server.IscsiEndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                slow.Add(login);
                login.Connect(server.IscsiEndPoint);
                Send(login, new byte[47]); // A header has 48.
            }

            worked += watched.Work();
            var growth = watched.GrowthBytes;
            Assert.InRange(growth, long.MinValue, MostGrowthBytes);
            // Answered into memory, they would be gigabytes.
            Assert.InRange(asked / 28 * ReadBytes, 10 * MostGrowthBytes, long.MaxValue);
            using (var late = server.ConnectNbd("vm1")) late.Flush();
            output.WriteLine(JsonSerializer.Serialize(
                new { line = "slow clients (server)", slow = slow.Count, askedBytes = asked, worked, growthBytes = growth, failures = 0 }));
        }
        finally
        {
            foreach (var socket in slow) socket.Dispose();
        }
        server.Stop();
    }

    /// <summary>A connection of NBD that has the volume open.</summary>
    static Socket Open(AshlarProcess server, List<Socket> opened)
    {
        var socket = new Socket(server.NbdEndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = 120_000,
            SendTimeout = 120_000,
        };
        opened.Add(socket);
        socket.Connect(server.NbdEndPoint);
        Receive(socket, 18);
        var name = Encoding.UTF8.GetBytes("vm1");
        // NBD_OPT_EXPORT_NAME, whose answer is size and flags.
        Send(socket, [0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, (byte)name.Length, .. name]);
        Receive(socket, 10);
        return socket;
    }

    static byte[] Request(ushort command, ulong offset, uint length)
    {
        var request = new byte[28];
        BinaryPrimitives.WriteUInt32BigEndian(request, 0x25609513);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), command);
        BinaryPrimitives.WriteUInt64BigEndian(request.AsSpan(16), offset);
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(24), length);
        return request;
    }

    static byte[] Pipelined(int count)
    {
        var one = Request(0, 0, ReadBytes);
        var all = new byte[count * one.Length];
        for (var i = 0; i < count; i++) one.CopyTo(all, i * one.Length);
        return all;
    }

    static void Send(Socket socket, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty) data = data[socket.Send(data)..];
    }

    /// <summary>Sends as long as the kernel takes it at once: then the server takes no more off.</summary>
    /// <returns>The bytes that were taken.</returns>
    static long SendWhatIsTaken(Socket socket, ReadOnlySpan<byte> data)
    {
        socket.Blocking = false;
        var taken = 0;
        while (taken < data.Length)
        {
            var sent = socket.Send(data[taken..], SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock) break;
            Assert.Equal(SocketError.Success, error);
            taken += sent;
        }
        return taken;
    }

    static void Receive(Socket socket, int count)
    {
        var scratch = new byte[count];
        for (var at = 0; at < count;)
        {
            var received = socket.Receive(scratch.AsSpan(at));
            Assert.True(received > 0, "the server hung up");
            at += received;
        }
    }
}
