using System.Net.Sockets;
using System.Runtime.Versioning;
using Ashlar.Storage;
using Ashlar.TestKit;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Listening;

/// <summary>Unix sockets: who may connect, who it is, and what becomes of the file.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class LocalSocketTests : IDisposable
{
    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();

    string SocketPath => directory["s"];

    [Fact]
    public async Task A_client_is_served_and_known_by_its_user_and_process()
    {
        string? peer = null;
        await using var listener = Start((connection, draining) =>
        {
            peer = connection.RemoteEndPoint.ToString();
            EchoProtocol.Serve(connection, draining);
        });
        using var client = Dial();
        var unit = EchoProtocol.UnitOf([7, 8, 9]);
        client.Send(unit);
        Assert.Equal(unit, Receive(client, unit.Length));
        Assert.Matches($"^unix:uid=[0-9]+,pid={Environment.ProcessId}$", peer!);
    }

    [Fact]
    public async Task The_file_has_the_permissions_that_were_asked_for_and_goes_with_the_listener()
    {
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        await using (Start(access: new(mode))) Assert.Equal(mode, File.GetUnixFileMode(SocketPath));
        Assert.False(File.Exists(SocketPath));
        await using (Start()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
    }

    [Fact]
    public async Task What_a_dead_server_left_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(directory["other"]));
            dead.Listen();
            File.Move(directory["other"], SocketPath); // So nobody removes it.
        }
        Assert.True(File.Exists(SocketPath));
        await using var listener = Start();
        using var client = Dial();
        Assert.True(client.Connected);
    }

    [Fact]
    public async Task One_that_is_listened_on_stays_and_so_does_what_is_no_socket()
    {
        await using (Start())
        {
            var taken = Assert.Throws<ListenException>(() => Start());
            Assert.True(taken is { IsTaken: true, IsLocal: true });
            Assert.Equal($"echo: cannot listen on {SocketPath}: another program listens there", taken.Message);
            using var client = Dial();
            Assert.True(client.Connected);
        }
        File.WriteAllText(SocketPath, "somebody's");
        var other = Assert.Throws<ListenException>(() => Start());
        Assert.Contains("what lies there is no socket", other.Message, StringComparison.Ordinal);
        Assert.Equal("somebody's", File.ReadAllText(SocketPath));
    }

    [Fact]
    public async Task One_server_has_the_path_from_before_it_looks_there_until_the_file_is_gone()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(directory["other"]));
            File.Move(directory["other"], SocketPath);
        }
        using (SocketFileLock.TryTake(SocketPath)) // Another begins just now.
            Assert.True(Assert.Throws<ListenException>(() => Start()).IsTaken);
        Assert.True(File.Exists(SocketPath));
        await using (Start()) Assert.Null(SocketFileLock.TryTake(SocketPath));
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.DirectoryPath));
        await using var next = Start();
        using var client = Dial();
        Assert.True(client.Connected);
    }

    [Fact]
    public void A_path_that_there_is_not_is_told()
    {
        var failure = Assert.Throws<ListenException>(() => Start(path: directory["none/s"]));
        Assert.Contains(directory["none/s"], failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsTaken);
    }

    [Fact]
    public async Task All_clients_of_this_machine_together_may_have_as_many_connections_as_there_may_be()
    {
        await using var listener = Start(mostOfAddress: 1);
        using var first = Dial();
        using var second = Dial();
        foreach (var client in (Socket[])[first, second])
        {
            client.Send(EchoProtocol.UnitOf([1]));
            Receive(client, EchoProtocol.UnitOf([1]).Length);
        }
    }

    public void Dispose() => directory.Dispose();

    Socket Dial()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }

    static byte[] Receive(Socket client, int count)
    {
        var bytes = new byte[count];
        for (var got = 0; got < count;)
        {
            var some = client.Receive(bytes.AsSpan(got));
            Assert.True(some > 0, "cut off");
            got += some;
        }
        return bytes;
    }

    StreamListener Start(
        Action<Connection, CancellationToken>? serve = null, LocalSocketAccess? access = null, string? path = null,
        int mostOfAddress = int.MaxValue) => StreamListener.Start(
        ListenerFixture.Options with
        {
            EndPoint = new UnixDomainSocketEndPoint(path ?? SocketPath),
            LocalAccess = access ?? new(),
            MaxConnectionsPerAddress = mostOfAddress,
        },
        new Handler(serve ?? EchoProtocol.Serve),
        _ => { });

    sealed class Handler(Action<Connection, CancellationToken> serve) : IConnectionHandler
    {
        public void Serve(Connection connection, CancellationToken draining) => serve(connection, draining);
    }
}
