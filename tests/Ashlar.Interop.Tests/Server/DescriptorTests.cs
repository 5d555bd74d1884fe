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
        Assert.Contains($"only {limit} descriptors may be open", server.Log, StringComparison.Ordinal);
        Assert.True(server.IsRunning, server.Log);
        server.Stop();
    }
}
