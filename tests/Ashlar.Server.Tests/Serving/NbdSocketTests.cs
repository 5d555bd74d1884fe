using System.Net.Sockets;
using System.Runtime.Versioning;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Serving;

/// <summary>The Unix socket of NBD: its options, whose it is, and what is told of those who come by it.</summary>
[SupportedOSPlatform("linux")]
public sealed class NbdSocketTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    string SocketPath => directory["nbd"];

    [Theory]
    [InlineData("--nbd-socket-mode", "9", "'9' is no permissions")]
    [InlineData("--nbd-socket-mode", "4755", "'4755' is no permissions")]
    [InlineData("--nbd-socket-owner", "nobody-of-that-name", "there is no user 'nobody-of-that-name'")]
    [InlineData("--nbd-socket-owner", ":no-group", "there is no group 'no-group'")]
    public async Task A_value_that_is_none_is_a_mistake_of_the_command_line(string option, string value, string why)
    {
        var outcome = await CalledProgram.RunAsync("serve", "--data", directory["data"], "--nbd-socket", SocketPath, option, value);
        Assert.Equal((int)ExitCode.Usage, outcome.ExitCode);
        Assert.Contains(why, outcome.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory.DirectoryPath));
    }

    [Fact]
    public async Task A_path_that_no_socket_can_have_is_a_mistake_too()
    {
        var outcome = await CalledProgram.RunAsync("serve", "--data", directory["data"], "--nbd-socket", directory[new string('x', 100)]);
        Assert.Equal((int)ExitCode.Usage, outcome.ExitCode);
        Assert.Contains("is too long for a Unix socket: 107 bytes at the most", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_lies_at_the_path_keeps_the_server_from_starting_and_nothing_is_left_of_it()
    {
        File.WriteAllText(SocketPath, "somebody's");
        var outcome = await CalledProgram.RunAsync(
            "up", "--data", directory["data"], "--pool-size", "64MiB", "--nbd-socket", SocketPath, "--nbd-port", "0", "--iscsi-port", "0",
            "--nvme-port", "0", "--api-port", "0", "--s3-port", "0");
        Assert.Equal((int)ExitCode.Conflict, outcome.ExitCode);
        Assert.Contains($"nbd: cannot listen on {SocketPath}: ", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("hint: choose another path by --nbd-socket", outcome.Error, StringComparison.Ordinal);
        Assert.Equal([SocketPath], Directory.GetFileSystemEntries(directory.DirectoryPath));
    }

    [Fact]
    public async Task Who_comes_by_it_is_shown_by_user_and_process_and_counts_as_the_loopback()
    {
        await using var server = await RunningProgram.StartInAsync(
            directory["data"], "--nbd-socket", SocketPath, "--nbd-socket-mode", "660", "--nbd-socket-owner", Environment.UserName);
        Assert.Equal(SocketPath, server.Status.Endpoints.NbdSocket);
        Assert.Contains("NBD socket", (await server.CallAsync("status")).Out, StringComparison.Ordinal);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
            File.GetUnixFileMode(SocketPath));
        await server.CallAsync("volume", "create", "near", "--size", "1MiB");
        await server.CallAsync("volume", "create", "far", "--size", "1MiB");
        await server.CallAsync("export", "create", "near", "--volume", "near", "--address", "127.0.0.0/8");
        await server.CallAsync("export", "create", "far", "--volume", "far", "--address", "192.0.2.0/24");
        using var refused = Open("far");
        Assert.Equal(0, refused.Receive(new byte[1]));
        using var client = Open("near");
        Assert.True(client.Receive(new byte[10]) > 0);
        var sessions = await server.CallAsync("session", "list");
        Assert.Matches($"unix:uid=[0-9]+,pid={Environment.ProcessId}", sessions.Out);
        await server.StopAsync();
        Assert.False(File.Exists(SocketPath));
    }

    public void Dispose() => directory.Dispose();

    // By EXPORT_NAME, which is answered by the export or by the end of the connection.
    Socket Open(string export)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
        var greeting = new byte[18];
        for (var got = 0; got < greeting.Length;) got += socket.Receive(greeting.AsSpan(got));
        socket.Send([0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, (byte)export.Length, .. System.Text.Encoding.UTF8.GetBytes(export)]);
        return socket;
    }
}
