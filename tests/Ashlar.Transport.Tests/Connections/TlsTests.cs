using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Transport.Tests.Connections;

/// <summary>A connection under TLS: what goes in comes out, however it is cut, and nobody waits for ever.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    const int FloodBytes = 8 << 20, UnreadBytes = 32 << 10;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly TemporaryDirectory directory = new();
    readonly ConcurrentQueue<string> reports = new();
    readonly TestCertificates certificates;
    readonly StreamListener listener;

    public TlsTests()
    {
        certificates = new(directory["pki"]);
        var options = new SslServerAuthenticationOptions { ServerCertificate = certificates.Server };
        listener = StreamListener.Start(
            new() { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Name = "tls", HandshakeTimeout = TimeSpan.FromSeconds(1) },
            new Echo(options), reports.Enqueue);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await listener.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls13, true)]
    public void What_is_sent_comes_back_whatever_its_length_and_however_it_comes(SslProtocols protocol, bool drips)
    {
        using var tls = Connect(protocol, drips);
        var random = new SeededRandom(1);
        int[] lengths = drips ? [1, 300] : [1, 5, 16383, 16384, 16385, 70_000, 1 << 20];
        foreach (var length in lengths) MustEcho(tls, random, length);
    }

    [Fact]
    public void Replies_that_are_not_taken_off_for_a_while_come_whole_and_in_order()
    {
        var socket = Dial();
        using var tls = Connect(SslProtocols.Tls13, drips: false, socket);
        tls.Write(Unit(-1, []));
        // Far more is on its way than the kernel takes.
        Assert.True(SpinWait.SpinUntil(() => socket.Available >= UnreadBytes, Patience), "nothing comes");
        var flood = new byte[FloodBytes];
        tls.ReadExactly(flood);
        Assert.Equal(Flood(), flood);
        MustEcho(tls, new SeededRandom(2), 1000);
    }

    [Fact]
    public void Who_does_not_speak_tls_is_hung_up_on_and_others_are_served()
    {
        byte[][] garbage = [[.. "GET / HTTP/1.1\r\n\r\n"u8], [22, 3, 1, 255, 255, 1], [.. Enumerable.Repeat((byte)255, 40_000)]];
        foreach (var each in garbage)
        {
            using var client = Dial();
            client.Send(each);
            MustEnd(client);
        }
        using var tls = Connect(SslProtocols.Tls13, drips: false);
        MustEcho(tls, new SeededRandom(3), 10);
        Assert.NotEmpty(reports);
    }

    [Fact]
    public void A_client_that_falls_silent_in_its_handshake_is_cut_off()
    {
        using var silent = Dial();
        using var half = Dial();
        half.Send([22, 3, 1, 1, 0, 1]);
        MustEnd(silent);
        MustEnd(half);
        Assert.All(reports, line => Assert.Contains("the handshake took too long", line, StringComparison.Ordinal));
    }

    SslStream Connect(SslProtocols protocol, bool drips, Socket? socket = null)
    {
        var network = new NetworkStream(socket ?? Dial(), ownsSocket: true);
        var tls = new SslStream(drips ? new Drip(network) : network, leaveInnerStreamOpen: false);
        tls.AuthenticateAsClient(certificates.ClientOptions(protocol));
        return tls;
    }

    Socket Dial()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(listener.EndPoint);
        socket.ReceiveTimeout = socket.SendTimeout = (int)Patience.TotalMilliseconds;
        return socket;
    }

    static void MustEnd(Socket client)
    {
        try
        {
            while (client.Receive(new byte[256]) > 0)
            {
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            // Hung up with our bytes unread.
        }
    }

    static void MustEcho(SslStream tls, SeededRandom random, int length)
    {
        var (sent, back) = (new byte[length], new byte[length]);
        random.Fill(sent);
        tls.Write(Unit(length, sent));
        tls.ReadExactly(back);
        Assert.Equal(sent, back);
    }

    static byte[] Unit(int length, byte[] data)
    {
        var unit = new byte[4 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(unit, length);
        data.CopyTo(unit, 4);
        return unit;
    }

    static byte[] Flood()
    {
        var flood = new byte[FloodBytes];
        new SeededRandom(4).Fill(flood);
        return flood;
    }

    /// <summary>Length, data; comes back as data. A length of -1 asks for much at once.</summary>
    sealed class Echo(SslServerAuthenticationOptions options) : IConnectionHandler
    {
        public void Serve(Connection connection, CancellationToken draining)
        {
            connection.StartTls(options);
            connection.HandshakeCompleted();
            var header = new byte[4];
            while (connection.WaitForData())
            {
                connection.Receive(header);
                var length = BinaryPrimitives.ReadInt32BigEndian(header);
                if (length < 0)
                {
                    var flood = Flood();
                    for (var at = 0; at < flood.Length; at += 1 << 20) connection.Post(flood.AsSpan(at, 1 << 20));
                    connection.Flush();
                    continue;
                }
                var data = new byte[length];
                connection.Receive(data);
                connection.Send(data);
            }
        }
    }

    /// <summary>Sends one byte at a time.</summary>
    sealed class Drip(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            foreach (var each in buffer) inner.WriteByte(each);
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
