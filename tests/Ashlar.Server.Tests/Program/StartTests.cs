using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Program;

public sealed class StartTests
{
    const int HighestId = 4 << 20; // Linux gives no higher one to a process.

    static readonly string[] FreePorts = ["--nbd-port", "0", "--iscsi-port", "0", "--nvme-port", "0", "--api-port", "0", "--s3-port", "0"];

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused_with_the_first_ones_process()
    {
        await using var server = await RunningProgram.StartAsync();
        var second = await CalledProgram.RunAsync(["up", "--data", server.Data, .. FreePorts]);
        Assert.Equal((6, ""), (second.ExitCode, second.Out));
        Assert.StartsWith(
            $"error: {server.Data} is served by process {Environment.ProcessId} already\n", second.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await server.CallAsync("status")).ExitCode);
    }

    [Theory]
    [InlineData("--nbd-port")]
    [InlineData("--iscsi-port")]
    [InlineData("--nvme-port")]
    [InlineData("--api-port")]
    [InlineData("--s3-port")]
    public async Task A_taken_port_is_named_with_the_option_that_changes_it(string option)
    {
        using var directory = new TemporaryDirectory();
        using var taker = new TcpListener(IPAddress.Loopback, 0);
        taker.Start();
        var port = ((IPEndPoint)taker.LocalEndpoint).Port;
        string[] others = [.. FreePorts.Chunk(2).Where(pair => pair[0] != option).SelectMany(pair => pair)];
        var result = await CalledProgram.RunAsync(
            ["up", "--data", directory["data"], "--pool-size", "64MiB", option, $"{port}", .. others]);
        Assert.Equal((6, ""), (result.ExitCode, result.Out));
        Assert.Contains(
            $"cannot listen on 127.0.0.1:{port}: the port is taken by another program\n", result.Error, StringComparison.Ordinal);
        Assert.Contains($"hint: choose another port by {option};", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory.DirectoryPath));
    }

    [Fact]
    public async Task Another_size_of_the_pool_is_refused_with_both_and_the_pool_is_as_it_was()
    {
        using var directory = new TemporaryDirectory();
        await using (var server = await RunningProgram.StartInAsync(directory["data"])) await server.StopAsync();
        var result = await CalledProgram.RunAsync(["up", "--data", directory["data"], "--pool-size", "1GiB", .. FreePorts]);
        Assert.Equal((6, ""), (result.ExitCode, result.Out));
        Assert.StartsWith(
            "error: pool main holds 64 MiB, and is to be started with 1 GiB\nhint: leave --pool-size out",
            result.Error, StringComparison.Ordinal);
        await using var again = await RunningProgram.StartInAsync(directory["data"]);
        Assert.Equal(64 << 20, again.Status.Pools[0].CapacityBytes);
    }

    [Fact]
    public async Task A_pool_that_cannot_be_that_large_is_refused_and_nothing_is_left_of_it()
    {
        using var directory = new TemporaryDirectory();
        var result = await CalledProgram.RunAsync(["up", "--data", directory["data"], "--pool-size", "2PiB", .. FreePorts]);
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.StartsWith(
            "error: a pool of 2 PiB is not possible: 1 PiB at most\nhint: choose a smaller one", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory.DirectoryPath));
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("127.0.0.1,192.0.2.1")]
    [InlineData("192.0.2.1,127.0.0.1")]
    public async Task An_address_of_another_machine_is_called_that(string listen)
    {
        using var directory = new TemporaryDirectory();
        var result = await CalledProgram.RunAsync(
            ["up", "--data", directory["data"], "--pool-size", "64MiB", "--listen", listen, "--allow-unauthenticated", .. FreePorts]);
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Matches(@"error: nbd: cannot listen on 192\.0\.2\.1:\d+: the address is not one of this machine\n", result.Error);
        Assert.Contains("hint: name one of this machine's addresses by --listen", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    public async Task A_data_file_that_was_cut_off_is_damage(long lengthBytes)
    {
        using var directory = new TemporaryDirectory();
        await using (var server = await RunningProgram.StartInAsync(directory["data"])) await server.StopAsync();
        using (var data = File.OpenWrite(directory["data/pools/main/data"])) data.SetLength(lengthBytes);
        var result = await CalledProgram.RunAsync(["up", "--data", directory["data"], .. FreePorts]);
        Assert.Equal(8, result.ExitCode);
        Assert.Matches($@"the pool has \d+ chunks of 65536 bytes, its device {lengthBytes} bytes", result.Error);
    }

    [Fact]
    public async Task What_a_pool_has_to_tell_stands_in_the_log()
    {
        using var directory = new TemporaryDirectory();
        await using (var server = await RunningProgram.StartInAsync(directory["data"])) await server.StopAsync();
        await using (var data = File.Open(directory["data/pools/main/data"], FileMode.Open))
        {
            data.Position = 20;
            var flipped = (byte)(data.ReadByte() ^ 1);
            data.Position = 20;
            data.WriteByte(flipped);
        }

        await using var again = await RunningProgram.StartInAsync(directory["data"]);
        await again.StopAsync();
        Assert.Contains("pool main: copy 1 of the superblock", again.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_of_an_unknown_version_is_refused_and_left_alone()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["data"]);
        await File.WriteAllTextAsync(directory["data/FORMAT"], "ashlar data directory\nversion 7\nanything\n");
        var result = await CalledProgram.RunAsync(["up", "--data", directory["data"], .. FreePorts]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("format version 7, this program reads version 1", result.Error, StringComparison.Ordinal);
        Assert.Equal(["FORMAT"], Directory.GetFileSystemEntries(directory["data"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_directory_that_holds_other_things_is_refused()
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory["holiday.jpg"], "");
        var result = await CalledProgram.RunAsync(["up", "--data", directory.DirectoryPath, .. FreePorts]);
        Assert.Equal(6, result.ExitCode);
        Assert.Contains("holds 'holiday.jpg' but no FORMAT file", result.Error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(directory.DirectoryPath));
    }

    [Fact]
    public async Task A_data_directory_that_lost_its_format_file_is_never_taken_for_a_new_one()
    {
        using var directory = new TemporaryDirectory();
        await using (await RunningProgram.StartInAsync(directory["data"]))
        {
        }
        File.Delete(directory["data/FORMAT"]);
        var result = await CalledProgram.RunAsync(["up", "--data", directory["data"], .. FreePorts]);
        Assert.Equal(6, result.ExitCode);
        Assert.True(File.Exists(directory["data/pools/main/data"]));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.0.2.1")]
    public async Task Other_machines_are_let_in_only_when_the_operator_says_so(string address)
    {
        using var directory = new TemporaryDirectory();
        var result = await CalledProgram.RunAsync(["up", "--data", directory["data"], "--listen", address, .. FreePorts]);
        Assert.Equal(4, result.ExitCode);
        Assert.Contains("--allow-unauthenticated", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["data"]));
    }

    [Fact, SupportedOSPlatform("linux")]
    public async Task The_data_directory_is_for_its_owner_alone()
    {
        await using var server = await RunningProgram.StartAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(server.Data));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.Data, "pools/main/data")));
    }

    [Fact]
    public async Task Stopping_closes_the_pool_and_everything_is_there_at_the_next_start()
    {
        using var directory = new TemporaryDirectory();
        Guid id;
        await using (var first = await RunningProgram.StartInAsync(directory["data"]))
        {
            id = (await first.CallAsync("volume", "create", "vm1", "--size", "1GiB", "-o", "json")).OutJson.GetProperty("id").GetGuid();
            Assert.Equal(ExitCode.Ok, await first.StopAsync());
            Assert.EndsWith("server: stopped\n", first.Log, StringComparison.Ordinal);
        }
        Assert.False(File.Exists(directory["data/run/server.json"]));
        await using var second = await RunningProgram.StartInAsync(directory["data"]);
        Assert.Equal(id, (await second.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson.GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task A_command_never_takes_the_lock_that_a_server_starts_with()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["data"]);
        // Its number was given out again. Whoever tried the lock, which is free, would see that, and keep a server from starting.
        await File.WriteAllTextAsync(directory["data/lock"], $"{Environment.ProcessId,10}\n");
        var status = await CalledProgram.RunAsync("status", "--data", directory["data"]);
        Assert.Equal(7, status.ExitCode);
        Assert.StartsWith($"error: process {Environment.ProcessId} may have {directory["data"]}, ", status.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_could_not_say_where_it_is_is_told_of_by_its_process_and_its_log()
    {
        await using var server = await RunningProgram.StartAsync();
        File.Delete(Path.Combine(server.Data, "run/server.json")); // As on a disk that is full at the start.

        var status = await CalledProgram.RunAsync("status", "--data", server.Data);
        Assert.Equal(7, status.ExitCode);
        Assert.Equal(
            $"error: process {Environment.ProcessId} may have {server.Data}, "
            + "but run/server.json, which would say how to reach it, is not there\n"
            + "hint: its log says where it serves: name that by --server\n",
            status.Error);

        var second = await CalledProgram.RunAsync("up", "--data", server.Data);
        Assert.Equal(6, second.ExitCode);
        Assert.EndsWith(
            "hint: its log says where it serves: name that by --server, or name another directory by --data\n",
            second.Error,
            StringComparison.Ordinal);

        Assert.Equal(0, (await CalledProgram.RunAsync("status", "--server", server.Status.Endpoints.Api)).ExitCode);
    }

    [Fact]
    public async Task A_lock_file_that_a_dead_server_left_is_nobodys()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["data"]);
        await File.WriteAllTextAsync(directory["data/lock"], $"{HighestId + 1,10}\n");
        var status = await CalledProgram.RunAsync("status", "--data", directory["data"]);
        Assert.StartsWith($"error: no server runs on {directory["data"]}\n", status.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_stop_commands_say_that_no_server_runs()
    {
        using var directory = new TemporaryDirectory();
        await using (await RunningProgram.StartInAsync(directory["data"]))
        {
        }
        Assert.Equal(7, (await CalledProgram.RunAsync("status", "--data", directory["data"])).ExitCode);
    }
}
