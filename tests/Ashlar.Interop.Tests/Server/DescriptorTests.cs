using System.Net.Sockets;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Server;

/// <summary>Whoever can connect cannot end the server by using up its descriptors.</summary>
public sealed class DescriptorTests
{
    [Theory]
    [InlineData(256)]
    [InlineData(512)]
    public void Clients_beyond_what_descriptors_allow_are_refused_and_the_server_goes_on(int limit)
    {
        using var directory = new TemporaryDirectory();
        using var server = new AshlarProcess(directory["data"], "64MiB") { DescriptorLimit = limit };
        server.Start();
        var idle = new List<Socket>();
        try
        {
            foreach (var endPoint in new[] { server.NbdEndPoint, server.IscsiEndPoint })
            {
                for (var i = 0; i < limit; i++)
                {
                    var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                    socket.Connect(endPoint);
                    idle.Add(socket);
                }
            }
            Assert.True(
                SpinWait.SpinUntil(() => server.Log.Contains("nbd: refused a connection", StringComparison.Ordinal),
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
    [InlineData(96)]
    [InlineData(128)]
    [InlineData(255)]
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
}
