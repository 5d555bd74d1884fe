using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Listening;

public sealed class ListenerGroupTests : IConnectionHandler
{
    readonly BlockingCollection<IPEndPoint> remotes = [];

    [Fact]
    public async Task The_limit_of_connections_is_for_all_listeners_together()
    {
        var options = ListenerFixture.Options with { MaxConnections = 2 };
        await using var group = ListenerGroup.Start([options, options], _ => this, _ => { });
        using var first = Served(group.EndPoints[0]);
        using var second = Served(group.EndPoints[1]);
        foreach (var endPoint in group.EndPoints)
        {
            using var third = new Client(endPoint);
            Assert.Equal(0, third.MustBeCutOff());
        }
        Assert.Equal(2, group.ConnectionCount);
    }

    [Fact]
    public async Task All_addresses_are_those_of_both_families_and_clients_are_called_by_their_own()
    {
        if (!Socket.OSSupportsIPv6) return; // Then there is no such address.
        var options = ListenerFixture.Options with { EndPoint = new IPEndPoint(IPAddress.IPv6Any, 0) };
        await using var group = ListenerGroup.Start([options], _ => this, _ => { });
        foreach (var address in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
        {
            using var client = Served(new(address, group.EndPoints[0].Port));
            Assert.True(remotes.TryTake(out var remote, ListenerFixture.Limit));
            Assert.Equal(address, remote.Address);
        }
    }

    [Fact]
    public void A_port_is_found_that_is_free_on_each_address()
    {
        IPAddress[] addresses = [IPAddress.Loopback, IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.3")];
        var port = FreePort.On("echo", addresses);
        Assert.NotEqual(0, port);
        foreach (var address in addresses)
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, port));
        }
    }

    [Theory]
    [InlineData("127.0.0.1", "192.0.2.1")]
    [InlineData("192.0.2.1", "127.0.0.1")]
    public void No_port_is_free_on_an_address_of_another_machine(params string[] addresses)
    {
        var failure = Assert.Throws<ListenException>(() => FreePort.On("echo", [.. addresses.Select(IPAddress.Parse)]));
        Assert.Equal((true, false), (failure.IsForeign, failure.IsTaken));
        Assert.Matches(@"^echo: cannot listen on 192\.0\.2\.1:\d+: the address is not one of this machine$", failure.Message);
    }

    void IConnectionHandler.Serve(Connection connection, CancellationToken draining)
    {
        remotes.Add((IPEndPoint)connection.RemoteEndPoint, CancellationToken.None);
        EchoProtocol.Serve(connection, draining);
    }

    static Client Served(IPEndPoint endPoint)
    {
        var client = new Client(endPoint);
        client.MustEcho([0]);
        return client;
    }
}
