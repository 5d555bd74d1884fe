using System.Net;

namespace Ashlar.Transport.Tests.Listening;

/// <summary>Discovery answers what the client that asks can reach, and each portal once.</summary>
public sealed class PortalAddressTests
{
    [Theory]
    [InlineData("0.0.0.0", null, "192.0.2.7", "192.0.2.7:3260,1")]
    [InlineData("0.0.0.0", null, "127.0.0.1", "127.0.0.1:3260,1")]
    [InlineData("::", null, "2001:db8::7", "[2001:db8::7]:3260,1")]
    [InlineData("::", null, "192.0.2.7", "192.0.2.7:3260,1")]
    [InlineData("::", null, "fe80::7%2", "[fe80::7]:3260,1")]
    [InlineData("127.0.0.1 192.0.2.7", null, "192.0.2.7", "192.0.2.7:3260,2")]
    [InlineData("127.0.0.1 192.0.2.7", null, "127.0.0.1", "127.0.0.1:3260,1 192.0.2.7:3260,2")]
    [InlineData("0.0.0.0 2001:db8::7", null, "2001:db8::7", "[2001:db8::7]:3260,2")]
    [InlineData("0.0.0.0 ::1", null, "::1", "[::1]:3260,2")]
    [InlineData("192.0.2.7 192.0.2.8", null, "192.0.2.8", "192.0.2.7:3260,1 192.0.2.8:3260,2")]
    [InlineData("0.0.0.0", "nas.example.com", "192.0.2.7", "nas.example.com:3260,1")]
    [InlineData("127.0.0.1 192.0.2.7", "nas.example.com", "192.0.2.7", "nas.example.com:3260,2")]
    [InlineData("::", "nas.example.com", "192.0.2.7", "nas.example.com:3260,1")]
    [InlineData("0.0.0.0", "2001:db8::9", "192.0.2.7", "[2001:db8::9]:3260,1")]
    [InlineData("0.0.0.0", "nas.example.com", "127.0.0.1", "127.0.0.1:3260,1")]
    public void A_client_is_told_of_addresses_that_it_can_reach(string listen, string? advertise, string dialled, string told)
    {
        var portals = listen.Split(' ').Select((address, i) => new PortalAddress(new(IPAddress.Parse(address), 3260), i + 1));
        var addresses = new PortalAddresses([.. portals], advertise);
        var found = addresses.For(new IPEndPoint(IPAddress.Parse(dialled), 3260));
        Assert.Equal(told, string.Join(' ', found.Select(portal => $"{portal.HostAndPort},{portal.Group}")));
    }
}
