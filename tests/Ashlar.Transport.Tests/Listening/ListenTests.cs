using System.Net;
using System.Net.Sockets;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Listening;

public sealed class ListenTests
{
    [Fact]
    public async Task Port_0_takes_a_free_one_and_says_which()
    {
        await using var fixture = new ListenerFixture();
        Assert.Equal(IPAddress.Loopback, fixture.Listener.EndPoint.Address);
        Assert.NotEqual(0, fixture.Listener.EndPoint.Port);
        fixture.OthersAreWell();
    }

    [Fact]
    public async Task A_taken_port_is_named()
    {
        await using var first = new ListenerFixture();
        var failure = Assert.Throws<ListenException>(() => Start(first.Listener.EndPoint));
        Assert.Equal(first.Listener.EndPoint.ToString(), failure.EndPoint);
        Assert.Equal($"echo: cannot listen on {first.Listener.EndPoint}: the port is taken by another program", failure.Message);
        Assert.IsType<SocketException>(failure.InnerException);
        first.OthersAreWell();
    }

    [Theory]
    [InlineData("192.0.2.1")] // Set aside for documentation (RFC 5737): nobody has it.
    [InlineData("2001:db8::1")] // The same (RFC 3849); refused as well where there is no IPv6 at all.
    public void An_address_of_another_machine_is_named(string address)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), 10809);
        var failure = Assert.Throws<ListenException>(() => Start(endPoint));
        Assert.Contains(endPoint.ToString(), failure.Message, StringComparison.Ordinal);
        if (endPoint.AddressFamily == AddressFamily.InterNetwork)
            Assert.EndsWith("the address is not one of this machine", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_can_be_listened_on_again_at_once_after_a_stop()
    {
        var fixture = new ListenerFixture();
        using var client = fixture.Dial();
        client.MustEcho([1]);
        var stopped = fixture.Listener.StopAsync(ListenerFixture.Limit);
        client.MustEnd();
        client.Dispose();
        await stopped;
        await using var again = Start(fixture.Listener.EndPoint);
        Assert.Equal(fixture.Listener.EndPoint, again.EndPoint);
    }

    [Fact]
    public void Limits_that_let_nobody_in_are_refused()
    {
        var options = ListenerFixture.Options;
        Assert.Throws<ArgumentOutOfRangeException>(() => Start(options with { MaxConnections = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Start(options with { HandshakeTimeout = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Start(options with { TransferTimeout = TimeSpan.FromMicroseconds(500) }));
    }

    [Fact]
    public async Task The_longest_time_limits_are_no_limits()
    {
        await using var fixture = new ListenerFixture(EchoProtocol.ServeHandshake, handshake: TimeSpan.MaxValue, transfer: TimeSpan.MaxValue);
        using var client = fixture.Dial();
        client.MustEcho([1, 2, 3]);
        client.MustEcho(new byte[300_000]);
        client.Dispose();
        Assert.Null(fixture.NextEnd());
    }

    [Fact]
    public async Task Clients_that_leave_before_they_are_served_harm_nobody()
    {
        await using var fixture = new ListenerFixture();
        for (var i = 0; i < 200; i++)
        {
            using var client = fixture.Dial();
            client.Vanish();
        }
        fixture.OthersAreWell();
    }

    static StreamListener Start(IPEndPoint endPoint) => Start(ListenerFixture.Options with { EndPoint = endPoint });

    static StreamListener Start(ListenerOptions options) => StreamListener.Start(options, new NeverServed(), line => Assert.Fail(line));

    sealed class NeverServed : IConnectionHandler
    {
        public void Serve(Connection connection, CancellationToken draining) => Assert.Fail("nobody was to connect");
    }
}
