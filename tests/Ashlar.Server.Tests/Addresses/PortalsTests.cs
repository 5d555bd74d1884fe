using System.Net;
using System.Net.Sockets;
using Ashlar.Transport;

namespace Ashlar.Server.Tests.Addresses;

/// <summary>One port on every address.</summary>
public sealed class PortalsTests
{
    static readonly IPAddress[] Addresses = [IPAddress.Loopback, IPAddress.Parse("127.0.0.2")];

    readonly List<string> asked = [];
    int found = 4000;

    [Fact]
    public async Task Where_another_program_takes_the_port_that_was_free_the_next_one_is_tried()
    {
        var listened = await new Portals(Addresses, Find).ListenAsync(
            "nbd", 0, where => StartAsync(where, SocketError.AddressAlreadyInUse, 4001, 4002));
        Assert.Equal("127.0.0.1:4003 127.0.0.2:4003", listened);
        Assert.Equal(["127.0.0.1:4001 127.0.0.2:4001", "127.0.0.1:4002 127.0.0.2:4002", "127.0.0.1:4003 127.0.0.2:4003"], asked);
    }

    [Fact]
    public async Task It_is_not_tried_for_ever()
    {
        var refusal = await Assert.ThrowsAsync<ListenException>(() => new Portals(Addresses, Find).ListenAsync(
            "nbd", 0, where => StartAsync(where, SocketError.AddressAlreadyInUse, [.. Enumerable.Range(4001, 100)])));
        Assert.True(refusal.IsTaken);
        Assert.Equal(16, asked.Count);
    }

    [Theory]
    [InlineData(10809, SocketError.AddressAlreadyInUse)] // It was asked for.
    [InlineData(0, SocketError.AddressNotAvailable)]
    public async Task What_another_port_would_not_mend_is_told_at_once(int port, SocketError error)
    {
        await Assert.ThrowsAsync<ListenException>(() => new Portals(Addresses, Find).ListenAsync(
            "nbd", port, where => StartAsync(where, error, 10809, 4001)));
        Assert.Single(asked);
    }

    [Fact]
    public async Task On_one_address_the_system_chooses() =>
        Assert.Equal("127.0.0.1:0", await new Portals([IPAddress.Loopback], Find).ListenAsync("nbd", 0, where => StartAsync(where, default)));

    int Find(string name, IReadOnlyList<IPAddress> addresses)
    {
        Assert.Equal(("nbd", 2), (name, addresses.Count));
        return ++found;
    }

    async Task<string> StartAsync(IReadOnlyList<IPEndPoint> where, SocketError error, params int[] refused)
    {
        await Task.Yield();
        asked.Add(string.Join(' ', where));
        return refused.Contains(where[^1].Port) ? throw new ListenException("nbd", asked[^1], new SocketException((int)error)) : asked[^1];
    }
}
