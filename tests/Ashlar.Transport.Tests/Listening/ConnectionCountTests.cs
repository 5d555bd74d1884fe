using System.Net;

namespace Ashlar.Transport.Tests.Listening;

public sealed class ConnectionCountTests
{
    static readonly IPAddress One = IPAddress.Parse("192.0.2.1"), Two = IPAddress.Parse("2001:db8::2");

    static readonly ListenerOptions Options = new()
    {
        EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
        Name = "echo",
        MaxConnections = 5,
        MaxConnectionsPerAddress = 2,
    };

    readonly ConnectionCount count = new();

    [Fact]
    public void One_address_leaves_places_to_others_and_gets_its_own_back()
    {
        var first = Take(One);
        Take(One);
        MustRefuse(One, "2 of 192.0.2.1 are open, the most allowed to one address");
        Take(Two);
        count.Free(first);
        Take(One);
        MustRefuse(One, "2 of 192.0.2.1 are open, the most allowed to one address");
    }

    [Fact]
    public void Of_IPv6_the_addresses_of_one_network_count_together()
    {
        Take(Two);
        Take(IPAddress.Parse("2001:db8::ffff:0:0:1"));
        MustRefuse(IPAddress.Parse("2001:db8::3"), "2 of 2001:db8::/64 are open, the most allowed to one address");
        Take(IPAddress.Parse("2001:db8:0:1::3"));
    }

    [Fact]
    public void All_together_have_no_more_than_there_may_be_and_this_machine_may_have_them_all()
    {
        for (var i = 1; i < Options.MaxConnections; i++) Take(IPAddress.IPv6Loopback);
        var last = Take(IPAddress.IPv6Loopback);
        MustRefuse(One, "5 are open, the most allowed");
        count.Free(last);
        Take(One);
    }

    [Fact]
    public void The_oldest_of_an_address_that_has_all_it_may_have_gives_way_to_the_same()
    {
        var places = new[] { Two, One, One }.Select(Begin).ToArray();
        Assert.Same(places[1], Displace(One));
        Assert.True(count.EndLogin(places[2]));
        MustRefuse(One, "2 of 192.0.2.1 are open, the most allowed to one address");
    }

    [Fact]
    public void A_crowd_of_several_addresses_gives_way_before_one_who_came_earlier()
    {
        var honest = Begin(IPAddress.Parse("192.0.2.9"));
        var crowd = new[] { One, Two, One, Two }.Select(Begin).ToArray();
        Assert.Same(crowd[0], Displace(IPAddress.Parse("192.0.2.8"))); // The older one of two that have as many.
        Assert.Same(crowd[1], Displace(IPAddress.Parse("192.0.2.7")));
        Assert.True(count.EndLogin(honest));
    }

    [Fact]
    public void A_place_is_handed_over_and_who_had_it_cannot_log_in_any_more_nor_free_it()
    {
        var places = Enumerable.Range(1, 5).Select(i => Begin(IPAddress.Parse($"192.0.2.{i}"))).ToArray();
        Assert.Same(places[0], Displace(IPAddress.Parse("192.0.2.6")));
        Assert.False(count.EndLogin(places[0]));
        Assert.Equal(1, count.Leaving);
        foreach (var place in places[1..]) Assert.True(count.EndLogin(place));
        count.Free(places[0]);
        Assert.Equal(0, count.Leaving);
        MustRefuse(IPAddress.Parse("192.0.2.7"), "5 are open, the most allowed");
    }

    [Fact]
    public void Where_the_process_is_short_of_something_one_that_has_not_logged_in_gives_way_if_there_is_one()
    {
        var place = Begin(One);
        Assert.NotNull(count.TryTake(Two, Options, "short", out var former, out _));
        Assert.Same(place, former);
        Assert.Null(count.TryTake(Two, Options, "short", out _, out var refusal));
        Assert.Equal("short", refusal);
    }

    ConnectionPlace Take(IPAddress address)
    {
        var place = count.TryTake(address, Options, shortage: null, out var former, out var refusal);
        Assert.True(place is not null, refusal);
        Assert.Null(former);
        return place;
    }

    ConnectionPlace Begin(IPAddress address)
    {
        var place = Take(address);
        count.BeginLogin(place);
        return place;
    }

    ConnectionPlace? Displace(IPAddress address)
    {
        Assert.NotNull(count.TryTake(address, Options, shortage: null, out var former, out _));
        return former;
    }

    void MustRefuse(IPAddress address, string why)
    {
        Assert.Null(count.TryTake(address, Options, shortage: null, out _, out var refusal));
        Assert.Equal(why, refusal);
    }
}
