using System.Net;
using System.Net.NetworkInformation;

namespace Ashlar.Server.Tests.Addresses;

public sealed class AddressTests
{
    static readonly IPAddress[] Machine = [IPAddress.Parse("192.0.2.7"), IPAddress.Parse("2001:db8::7"), IPAddress.Parse("198.51.100.7")];

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1 ::1 127.0.0.1", "127.0.0.1 ::1")]
    [InlineData("0.0.0.0 127.0.0.1 192.0.2.7", "0.0.0.0")]
    [InlineData("0.0.0.0 ::1", "0.0.0.0 ::1")]
    [InlineData(":: 0.0.0.0 192.0.2.7 ::1", "::")]
    public void What_another_address_includes_is_not_listened_on_twice(string asked, string listened) =>
        Assert.Equal(listened, string.Join(' ', ListenAddresses.Of(Parse(asked))));

    [Theory]
    [InlineData("127.0.0.1", null, "127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1:1", false)]
    [InlineData("127.0.0.1 ::1", null, "127.0.0.1 ::1", "http://127.0.0.1:1", "http://127.0.0.1:1", false)]
    [InlineData("::1", null, "::1", "http://[::1]:1", "http://[::1]:1", false)]
    [InlineData("0.0.0.0", null, "192.0.2.7 198.51.100.7 127.0.0.1", "http://192.0.2.7:1", "http://127.0.0.1:1", true)]
    [InlineData("::", null, "192.0.2.7 2001:db8::7 198.51.100.7 127.0.0.1", "http://192.0.2.7:1", "http://127.0.0.1:1", true)]
    [InlineData("127.0.0.1 192.0.2.9", null, "192.0.2.9 127.0.0.1", "http://192.0.2.9:1", "http://127.0.0.1:1", true)]
    [InlineData("192.0.2.9", null, "192.0.2.9", "http://192.0.2.9:1", "http://192.0.2.9:1", true)]
    [InlineData("0.0.0.0", "nas.example.com", "nas.example.com", "http://nas.example.com:1", "http://127.0.0.1:1", true)]
    [InlineData("::", "2001:db8::9", "2001:db8::9", "http://[2001:db8::9]:1", "http://127.0.0.1:1", true)]
    [InlineData("127.0.0.1", "nas.example.com", "nas.example.com", "http://nas.example.com:1", "http://127.0.0.1:1", false)]
    public void Others_are_told_what_they_can_use_and_commands_what_this_machine_can(
        string listen, string? advertise, string hosts, string api, string localApi, bool isOpen)
    {
        var served = new ServedAddresses(Parse(listen), advertise, () => Machine);
        Assert.Equal(hosts, string.Join(' ', served.Hosts));
        var endpoints = served.Endpoints(apiPort: 1, nbdPort: 2, iscsiPort: 3);
        var authority = api["http://".Length..^":1".Length];
        Assert.Equal((api, $"nbd://{authority}:2", $"{authority}:3"), (endpoints.Api, endpoints.Nbd, endpoints.Iscsi));
        Assert.Equal((isOpen, served.Hosts), (endpoints.IsOpen, endpoints.Hosts));
        Assert.Equal(localApi, served.LocalApi(1));
    }

    [Fact]
    public void A_machine_without_a_network_is_reached_by_its_loopback() =>
        Assert.Equal(["127.0.0.1"], new ServedAddresses([IPAddress.Any], null, () => []).Hosts);

    [Fact]
    public void Addresses_of_this_machine_are_of_use_to_others() => Assert.All(MachineAddresses.All(), address =>
        Assert.False(IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || ListenAddresses.IsAll(address), address.ToString()));

    [Fact]
    public void What_the_system_does_not_tell_of_its_interfaces_is_done_without()
    {
        Assert.All(MachineAddresses.All(() => throw new NetworkInformationException()), IsNoLoopback);
        Assert.All(MachineAddresses.All(() => [new GoneInterface()]), IsNoLoopback);

        static void IsNoLoopback(IPAddress address) => Assert.False(IPAddress.IsLoopback(address));
    }

    [Theory]
    [InlineData("http://127.0.0.1:9001", "127.0.0.1:9001")]
    [InlineData("http://127.0.0.1:80", "127.0.0.1:80")]
    [InlineData("http://[::1]:80", "[::1]:80")]
    [InlineData("http://[::]:9001", "[::]:9001")]
    public void Where_the_web_server_listens_is_understood_also_on_its_usual_port(string address, string endPoint) =>
        Assert.Equal(IPEndPoint.Parse(endPoint), ApiServer.EndPointOf(address));

    [Theory]
    [InlineData("127.0.0.1", "localhost", true)]
    [InlineData("127.0.0.1", "LOCALHOST", true)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("127.0.0.1", "[::1]", true)]
    [InlineData("127.0.0.1", "192.0.2.7", false)]
    [InlineData("127.0.0.1", "nas.example.com", true)]
    [InlineData("127.0.0.1", "NAS.example.com", true)]
    [InlineData("127.0.0.1", "nas.example.com.evil.example", false)]
    [InlineData("127.0.0.1", "203.0.113.9", true)]
    [InlineData("127.0.0.1", "", false)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("0.0.0.0", "192.0.2.8", true)]
    [InlineData("0.0.0.0", "evil.example", false)]
    [InlineData("::", "[2001:db8::8]", true)]
    public void The_api_answers_to_its_addresses_and_to_names_that_were_allowed(string listen, string host, bool isIncluded) =>
        Assert.Equal(isIncluded, new HostNames(Parse(listen), ["nas.example.com", "203.0.113.9"]).Includes(host));

    /// <summary>It went between being listed and being looked at.</summary>
    sealed class GoneInterface : NetworkInterface
    {
        public override OperationalStatus OperationalStatus => OperationalStatus.Up;

        public override IPInterfaceProperties GetIPProperties() => throw new NetworkInformationException();
    }

    static IPAddress[] Parse(string text) => [.. text.Split(' ').Select(IPAddress.Parse)];
}
