using System.Net;
using System.Net.Sockets;

namespace Ashlar.Server.Tests.Program;

/// <summary>Where a server listens, and what it says of that.</summary>
public sealed class ListenTests
{
    [Fact]
    public async Task Listening_everywhere_shows_addresses_that_others_can_use_and_says_that_they_can()
    {
        await using var server = await RunningProgram.StartAsync("--listen", "0.0.0.0", "--allow-unauthenticated");
        var endpoints = server.Status.Endpoints;
        Assert.True(endpoints.IsOpen);
        Assert.Equal("127.0.0.1", endpoints.Hosts[^1]);
        Assert.Equal(endpoints.Hosts[0], new Uri(endpoints.Api).Host);
        foreach (var host in endpoints.Hosts) // Each of them is one of this machine.
            Assert.Equal("ok\n", await GetAsync($"http://{new IPEndPoint(IPAddress.Parse(host), new Uri(endpoints.Api).Port)}/livez"));
        Assert.Equal(0, (await server.CallAsync("status")).ExitCode);
        await server.StopAsync();
        Assert.Contains(
            "WARNING server: other machines can connect to 0.0.0.0, and nothing asks clients who they are: ",
            server.Log,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_advertised_is_what_is_printed_and_commands_on_this_machine_do_without_it()
    {
        await using var server = await RunningProgram.StartAsync("--advertise", "nas.example.com");
        Assert.StartsWith("http://nas.example.com:", server.Status.Endpoints.Api, StringComparison.Ordinal);
        await server.CallAsync("volume", "create", "vm1", "--size", "1MiB");
        var shown = await server.CallAsync("volume", "show", "vm1");
        Assert.Contains("nbdinfo nbd://nas.example.com:", shown.Out, StringComparison.Ordinal);
        Assert.Contains("iscsiadm -m discovery -t sendtargets -p nas.example.com:", shown.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--allow-host", "nas.example.com")]
    [InlineData("--allow-host", "other.example.com,nas.example.com")]
    [InlineData("--advertise", "nas.example.com")]
    public async Task The_api_is_asked_for_by_a_name_that_was_allowed(string option, string value)
    {
        await using var server = await RunningProgram.StartAsync(option, value);
        using var http = new HttpClient();
        var url = $"http://127.0.0.1:{new Uri(server.Status.Endpoints.Api).Port}/v1/status";
        foreach (var (name, status) in new[] { ("nas.example.com", 200), ("NAS.example.com:8080", 200), ("evil.example", 421) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Host = name } };
            using var response = await http.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    [Fact]
    public async Task An_address_of_IPv4_in_the_form_of_IPv6_is_the_one_that_it_maps()
    {
        await using var server = await RunningProgram.StartAsync("--listen", "::ffff:127.0.0.1");
        Assert.Equal(["127.0.0.1"], server.Status.Endpoints.Hosts);
    }

    [Theory]
    [InlineData("--listen", "127.0.0.1,127.0.0.2")]
    [InlineData("--listen", "127.0.0.1", "--listen", "127.0.0.2")]
    public async Task Several_addresses_are_listened_on_by_every_protocol_on_one_port(params string[] options)
    {
        await using var server = await RunningProgram.StartAsync(options);
        var endpoints = server.Status.Endpoints;
        Assert.Equal(["127.0.0.1", "127.0.0.2"], endpoints.Hosts);
        int[] ports =
        [
            new Uri(endpoints.Api).Port, new Uri(endpoints.Nbd).Port, IPEndPoint.Parse(endpoints.Iscsi).Port,
            IPEndPoint.Parse(endpoints.Nvme!).Port,
        ];
        foreach (var (host, port) in endpoints.Hosts.SelectMany(host => ports.Select(port => (host, port))))
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Parse(host), port);
        }
        Assert.Equal("ok\n", await GetAsync($"http://127.0.0.2:{ports[0]}/livez"));
    }

    [Fact]
    public async Task Addresses_may_stand_in_the_environment()
    {
        var environment = new Dictionary<string, string> { ["ASHLAR_LISTEN"] = "127.0.0.1, 192.0.2.1" };
        var result = await CalledProgram.RunAsync(environment, "", "serve", "--data", "/nowhere/data");
        Assert.Equal(4, result.ExitCode);
        Assert.Contains("192.0.2.1 can be reached from other machines", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--listen", "127.0.0.1,", "'' is not an IP address")]
    [InlineData("--listen", "nas.example.com", "'nas.example.com' is not an IP address")]
    [InlineData("--advertise", "nas.example.com:3260", "'nas.example.com:3260' is not a host")]
    [InlineData("--advertise", "http://nas", "'http://nas' is not a host")]
    [InlineData("--allow-host", "a,b c", "'b c' is not a host")]
    public async Task What_is_no_address_is_refused(string option, string value, string problem)
    {
        var result = await CalledProgram.RunAsync("serve", "--data", "/nowhere/data", "--listen", "192.0.2.1", option, value);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"{option}: {problem}", result.Error, StringComparison.Ordinal);
    }

    static async Task<string> GetAsync(string url)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync(url);
    }
}
