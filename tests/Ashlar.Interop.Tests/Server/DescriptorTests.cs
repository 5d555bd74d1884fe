using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Server;

/// <summary>Whoever can connect cannot end the server by using up its descriptors.</summary>
public sealed class DescriptorTests
{
    [Theory]
    [InlineData(320)]
    [InlineData(512)]
    public void Clients_beyond_what_descriptors_allow_get_no_more_places_and_the_server_goes_on(int limit)
    {
        using var directory = new TemporaryDirectory();
        using var server = new AshlarProcess(directory["data"], "64MiB") { DescriptorLimit = limit };
        server.Start();
        var idle = new List<Socket>();
        try
        {
            Connect(server.NbdEndPoint, limit, idle);
            Connect(server.IscsiEndPoint, limit, idle);
            Assert.True(
                SpinWait.SpinUntil(
                    () => Regex.IsMatch(
                        server.Log, "nbd: (refused a connection|connection .* gave its place to another)", RegexOptions.ExplicitCapture,
                        TimeSpan.FromSeconds(10)),
                    TimeSpan.FromMinutes(1)),
                server.Log);
        }
        finally
        {
            foreach (var socket in idle) socket.Dispose();
        }
        server.CreateVolume("vm1", "1MiB"); // What the API takes is left to it.
        Assert.Contains($"only {limit} descriptors may be open", server.Log, StringComparison.Ordinal);
        Assert.True(server.IsRunning, server.Log);
        server.Stop();
    }

    [Theory]
    [InlineData(320)]
    [InlineData(560)]
    public void As_many_clients_as_it_says_are_served(int limit)
    {
        using var directory = new TemporaryDirectory();
        using var server = new AshlarProcess(directory["data"], "64MiB") { DescriptorLimit = limit };
        server.Start();
        server.CreateVolume("vm1", "1MiB");
        var said = int.Parse(
            Regex.Match(
                server.Log, "NBD, iSCSI and NVMe take (?<count>[0-9]+) connections each", RegexOptions.ExplicitCapture,
                TimeSpan.FromSeconds(10))
                .Groups["count"].Value,
            CultureInfo.InvariantCulture);
        var idle = new List<Socket>();
        try
        {
            Connect(server.IscsiEndPoint, said, idle);
            Connect(server.NvmeEndPoint, said, idle);
            Connect(server.NbdEndPoint, said - 1, idle);
            using var last = server.ConnectNbd("vm1");
            last.Read(0, new byte[512]);
        }
        finally
        {
            foreach (var socket in idle) socket.Dispose();
        }
        Assert.DoesNotContain("refused a connection", server.Log, StringComparison.Ordinal);
        server.Stop();
    }

    [Theory]
    [InlineData(96)]
    [InlineData(128)]
    [InlineData(319)]
    public void With_too_few_to_serve_anybody_it_says_so_and_makes_nothing(int limit)
    {
        using var directory = new TemporaryDirectory();
        using var server = new AshlarProcess(directory["data"], "64MiB") { DescriptorLimit = limit };
        server.Launch();
        Assert.True(server.EndsWithin(TimeSpan.FromMinutes(1)), server.Log);
        Assert.Equal(1, server.ExitCode);
        Assert.Contains($"only {limit} descriptors may be open (ulimit -n): a server needs", server.Log, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["data"]));
    }

    static void Connect(IPEndPoint endPoint, int count, List<Socket> connected)
    {
        for (var i = 0; i < count; i++)
        {
            var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            connected.Add(socket);
            socket.Connect(endPoint);
        }
    }
}
