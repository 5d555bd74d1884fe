using System.Net;

namespace Ashlar.Transport.Tests.Listening;

public sealed class ConnectionCountTests
{
    static readonly IPAddress One = IPAddress.Parse("192.0.2.1"), Two = IPAddress.Parse("2001:db8::2");

    static readonly ListenerOptions Options = new()
    {
        EndPoint = new(IPAddress.Loopback, 0),
        Name = "echo",
        MaxConnections = 5,
        MaxConnectionsPerAddress = 2,
    };

    readonly ConnectionCount count = new();

    [Fact]
    public void One_address_leaves_places_to_others_and_gets_its_own_back()
    {
        Assert.Null(count.TryAdd(One, Options));
        Assert.Null(count.TryAdd(One, Options));
        Assert.Equal("2 of 192.0.2.1 are open, the most allowed to one address", count.TryAdd(One, Options));
        Assert.Null(count.TryAdd(Two, Options));
        count.Remove(One);
        Assert.Null(count.TryAdd(One, Options));
        Assert.NotNull(count.TryAdd(One, Options));
    }

    [Fact]
    public void All_together_have_no_more_than_there_may_be_and_this_machine_may_have_them_all()
    {
        for (var i = 0; i < Options.MaxConnections; i++) Assert.Null(count.TryAdd(IPAddress.IPv6Loopback, Options));
        Assert.Equal("5 are open, the most allowed", count.TryAdd(One, Options));
        count.Remove(IPAddress.IPv6Loopback);
        Assert.Null(count.TryAdd(One, Options));
    }
}
