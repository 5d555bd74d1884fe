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
        MustRefuse(One, "2 of 192.0.2.1 are open, the most allowed to one address", whose: One);
        Take(Two);
        count.Free(first);
        Take(One);
        MustRefuse(One, "2 of 192.0.2.1 are open, the most allowed to one address", whose: One);
    }

    [Fact]
    public void All_together_have_no_more_than_there_may_be_and_this_machine_may_have_them_all()
    {
        for (var i = 1; i < Options.MaxConnections; i++) Take(IPAddress.IPv6Loopback);
        var last = Take(IPAddress.IPv6Loopback);
        MustRefuse(One, "5 are open, the most allowed", whose: null);
        count.Free(last);
        Take(One);
    }

    [Fact]
    public void The_oldest_that_has_not_logged_in_gives_way_and_that_of_an_address_to_the_same()
    {
        var places = new[] { One, Two, One, Two }.Select(Take).ToArray();
        foreach (var place in places) count.BeginLogin(place);
        count.EndLogin(places[0]);
        Assert.Same(places[2], count.TakeOldest(One));
        Assert.Null(count.TakeOldest(One));
        Assert.Same(places[1], count.TakeOldest(null));
        count.Free(places[3]);
        Assert.Null(count.TakeOldest(null));
    }

    ConnectionPlace Take(IPAddress address)
    {
        var place = count.TryTake(address, Options, out var refusal, out _);
        Assert.True(place is not null, refusal);
        return place;
    }

    void MustRefuse(IPAddress address, string why, IPAddress? whose)
    {
        Assert.Null(count.TryTake(address, Options, out var refusal, out var found));
        Assert.Equal(why, refusal);
        Assert.Equal(whose, found);
    }
}
