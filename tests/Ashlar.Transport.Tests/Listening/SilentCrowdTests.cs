using System.Net;
using System.Net.Sockets;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Listening;

/// <summary>Whoever connects and does not log in keeps nobody out who does. Here the first unit of a client is its login.</summary>
public sealed class SilentCrowdTests : IAsyncLifetime
{
    readonly ListenerFixture fixture = new(ServeAfterLogin, maxConnections: 4);

    static void ServeAfterLogin(Connection connection, CancellationToken draining)
    {
        Span<byte> login = stackalloc byte[EchoProtocol.HeaderBytes];
        if (!connection.WaitForData()) return;
        connection.Receive(login);
        connection.HandshakeCompleted();
        connection.Send(login);
        EchoProtocol.Serve(connection, draining);
    }

    [Fact]
    public void Many_times_more_silent_ones_than_there_are_places_keep_nobody_out_and_disturb_nobody()
    {
        using var early = LogIn();
        var crowd = new List<Client>();
        for (var i = 0; i < 40; i++)
        {
            crowd.Add(fixture.Dial());
            if (i % 10 != 9) continue;
            using var late = LogIn();
            late.MustEcho([1, 2]);
            early.MustEcho([3, 4]);
        }

        for (var i = 0; i < 36; i++) crowd[i].MustBeCutOff();
        Assert.Contains("it had not logged in, and gave its place to another", fixture.NextReport());
        Assert.InRange(fixture.Reports.Count, 0, 5); // Once for each row of them.
        Assert.True(SpinWait.SpinUntil(() => fixture.Listener.ConnectionCount is >= 2 and <= 4, ListenerFixture.Limit));
        foreach (var each in crowd) each.Dispose();
    }

    [Fact]
    public void Those_that_have_logged_in_give_way_to_nobody()
    {
        var all = Enumerable.Range(0, 4).Select(_ => LogIn()).ToArray();
        using var refused = fixture.Dial();
        refused.MustBeCutOff();
        Assert.Equal("echo: refused a connection: 4 are open, the most allowed", fixture.NextReport());
        foreach (var each in all)
        {
            each.MustEcho([5]);
            each.Dispose();
        }
    }

    [Fact]
    public async Task Who_only_asks_what_there_is_gives_way_as_well()
    {
        await using var guests = new ListenerFixture(
            static (connection, draining) =>
            {
                connection.HandshakeCompletedAsGuest();
                EchoProtocol.ServeHandshake(connection, draining);
            },
            maxConnections: 2);
        using var first = guests.Dial();
        first.MustEcho([1]);
        using var second = guests.Dial();
        second.MustEcho([2]);
        using var third = guests.Dial();
        third.MustEcho([3]);
        first.MustBeCutOff();
        second.MustEcho([4]);
    }

    [Fact]
    public async Task Whose_place_another_has_got_is_not_told_that_he_is_logged_in()
    {
        using var proceed = new SemaphoreSlim(0);
        await using var one = new ListenerFixture(
            (connection, _) =>
            {
                Assert.True(proceed.Wait(ListenerFixture.Limit, CancellationToken.None));
                connection.HandshakeCompleted();
            },
            maxConnections: 1);
        using var first = one.Dial();
        Assert.True(SpinWait.SpinUntil(() => one.Listener.ConnectionCount == 1, ListenerFixture.Limit));
        using var second = one.Dial();
        first.MustBeCutOff();
        proceed.Release(2);
        var ends = new[] { one.NextEnd(), one.NextEnd() };
        Assert.EndsWith("gave its place to another", Assert.Single(ends.OfType<ConnectionException>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_has_not_logged_in_takes_little_memory()
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        using var client = new Client((IPEndPoint)listening.LocalEndPoint!);
        using var accepted = listening.Accept();
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var connection = new Connection(accepted, 1, ListenerFixture.Options);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 * 1024);
    }

    Client LogIn()
    {
        var client = fixture.Dial();
        client.MustEcho([]);
        return client;
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();
}
