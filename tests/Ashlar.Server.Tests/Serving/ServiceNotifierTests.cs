using System.Net.Sockets;
using System.Text;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Serving;

/// <summary>What a service manager hears, by its documented protocol: one datagram a state.</summary>
public sealed class ServiceNotifierTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_manager_hears_that_it_is_ready_and_that_it_stops(bool isAbstract)
    {
        var name = isAbstract ? $"@ashlar-test-{Guid.NewGuid():N}" : directory["notify"];
        using var manager = Listen(name);
        var notifier = new ServiceNotifier(name);
        notifier.Ready("Serving /data");
        Assert.Equal("READY=1\nSTATUS=Serving /data", Hear(manager));
        notifier.Stopping();
        Assert.Equal("STOPPING=1\nSTATUS=Stopping", Hear(manager));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("/nowhere/at/all")]
    public void Without_a_manager_nobody_is_told_and_nothing_fails(string? name) => new ServiceNotifier(name).Ready("x");

    [Fact]
    public async Task A_server_says_that_it_is_ready_when_it_serves_and_that_it_stops_when_it_is_told_to()
    {
        using var manager = Listen(directory["notify"]);
        using var stop = new CancellationTokenSource();
        var terminal = CalledProgram.Terminal(
            TextWriter.Synchronized(new StringWriter()),
            TextWriter.Synchronized(new StringWriter()),
            new() { Environment = new Dictionary<string, string> { ["NOTIFY_SOCKET"] = directory["notify"] } });
        string[] words =
            ["serve", "--data", directory["data"], "--pool-size", "64MiB", "--nbd-port", "0", "--iscsi-port", "0", "--nvme-port", "0",
                "--api-port", "0",
            "--s3-port", "0"];
        var program = AshlarProgram.RunAsync(words, terminal, stop.Token);
        Assert.Equal($"READY=1\nSTATUS=Serving {directory["data"]}", await Task.Run(() => Hear(manager)));
        await stop.CancelAsync();
        Assert.StartsWith("STOPPING=1", await Task.Run(() => Hear(manager)), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, await program);
    }

    static Socket Listen(string name)
    {
        // Against a hang.
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 120_000 };
        socket.Bind(new UnixDomainSocketEndPoint(name.StartsWith('@') ? '\0' + name[1..] : name));
        return socket;
    }

    static string Hear(Socket manager)
    {
        var buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
    }
}
