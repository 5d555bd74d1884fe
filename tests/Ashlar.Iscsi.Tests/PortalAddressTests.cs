using System.Net;

namespace Ashlar.Iscsi.Tests;

/// <summary>Discovery answers what the initiator that asks can reach, and each portal once.</summary>
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
    [InlineData("192.0.2.7 192.0.2.8", null, "192.0.2.8", "192.0.2.7:3260,1 192.0.2.8:3260,2")]
    [InlineData("0.0.0.0", "nas.example.com", "192.0.2.7", "nas.example.com:3260,1")]
    [InlineData("127.0.0.1 192.0.2.7", "nas.example.com", "192.0.2.7", "nas.example.com:3260,2")]
    [InlineData("::", "nas.example.com", "192.0.2.7", "nas.example.com:3260,1")]
    [InlineData("0.0.0.0", "2001:db8::9", "192.0.2.7", "[2001:db8::9]:3260,1")]
    [InlineData("0.0.0.0", "nas.example.com", "127.0.0.1", "127.0.0.1:3260,1")]
    public void An_initiator_is_told_of_addresses_that_it_can_reach(string listen, string? advertise, string dialled, string told)
    {
        var portals = listen.Split(' ').Select((address, i) => new PortalAddress(new(IPAddress.Parse(address), 3260), i + 1));
        var addresses = new PortalAddresses([.. portals], advertise);
        Assert.Equal(told, string.Join(' ', addresses.For(new IPEndPoint(IPAddress.Parse(dialled), 3260))));
    }

    [Fact]
    public async Task An_initiator_of_this_machine_is_told_of_the_address_that_it_has_dialled()
    {
        await using var target = new TestTarget(advertise: "nas.example.com");
        using var initiator = target.Connect();
        initiator.Login("InitiatorName=iqn.2026-11.test:one\0SessionType=Discovery\0");
        Assert.Equal(
            $"TargetName={TestTarget.Name}\0TargetAddress={target.EndPoint},1\0", initiator.SendText("SendTargets=All\0").Text);
    }
}
