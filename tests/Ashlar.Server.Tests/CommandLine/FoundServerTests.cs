using System.Globalization;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>A data directory leads to the server that runs on it, and to no other.</summary>
public sealed class FoundServerTests : IAsyncLifetime
{
    const int HighestId = 4 << 20; // Linux gives no higher one to a process.

    readonly TemporaryDirectory directory = new();
    RunningProgram other = null!;

    public async Task InitializeAsync()
    {
        other = await RunningProgram.StartAsync();
        await other.CallAsync("volume", "create", "vm1", "--size", "1GiB");
    }

    public async Task DisposeAsync()
    {
        await other.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData("volume delete vm1 --yes")]
    [InlineData("volume resize vm1 --size 2GiB")]
    [InlineData("volume limit vm1 --limit-iops 5")]
    [InlineData("volume list")]
    public async Task What_a_killed_server_left_leads_nowhere_when_its_port_is_another_servers(string line)
    {
        Leave(processId: HighestId + 1, lockOwner: HighestId + 1);
        await RefusedAsync(line, $"error: no server runs on {Killed}\n");
    }

    [Fact]
    public async Task A_process_that_has_the_directory_now_is_not_where_the_one_before_was()
    {
        Leave(processId: HighestId + 1, lockOwner: Environment.ProcessId);
        await RefusedAsync(
            "volume delete vm1 --yes",
            $"error: process {Environment.ProcessId} may have {Killed}, but run/server.json, which would say how to reach it, "
                + $"is of process {HighestId + 1}\n");
    }

    [Theory]
    [InlineData("volume delete vm1 --yes")]
    [InlineData("volume create vm2 --size 1GiB")]
    [InlineData("volume rename vm1 vm2")]
    [InlineData("status")]
    public async Task A_server_on_another_directory_is_not_taken_for_it_though_its_process_has_the_same_number(string line)
    {
        Leave(processId: Environment.ProcessId, lockOwner: Environment.ProcessId);
        await RefusedAsync(
            line,
            $"error: the server at {other.Status.Endpoints.Api} is not the one of {Killed}: it is process {Environment.ProcessId}, "
                + $"which serves {other.Data}\n");
    }

    [Fact]
    public async Task A_link_to_the_directory_leads_to_its_server()
    {
        File.CreateSymbolicLink(directory["link"], other.Data);
        var list = await CalledProgram.RunAsync("volume", "list", "-q", "--data", directory["link"]);
        Assert.Equal((0, "vm1\n"), (list.ExitCode, list.Out));
    }

    string Killed => directory["killed"];

    /// <summary>What a server that was killed leaves behind, at the address that the other one has now.</summary>
    void Leave(int processId, int lockOwner)
    {
        Directory.CreateDirectory(directory["killed/run"]);
        File.WriteAllText(directory["killed/lock"], string.Create(CultureInfo.InvariantCulture, $"{lockOwner,10}\n"));
        File.WriteAllText(
            directory["killed/run/server.json"],
            string.Create(CultureInfo.InvariantCulture, $$"""{"processId":{{processId}},"api":"{{other.Status.Endpoints.Api}}"}"""));
    }

    async Task RefusedAsync(string line, string error)
    {
        var result = await CalledProgram.RunAsync([.. line.Split(' '), "--data", Killed]);
        Assert.Equal((7, ""), (result.ExitCode, result.Out));
        Assert.StartsWith(error, result.Error, StringComparison.Ordinal);
        var volumes = (await other.CallAsync("volume", "list", "-o", "json")).OutJson.GetProperty("items");
        var vm1 = Assert.Single(volumes.EnumerateArray());
        Assert.Equal(("vm1", 1L << 30), (vm1.GetProperty("name").GetString(), vm1.GetProperty("sizeBytes").GetInt64()));
        Assert.False(vm1.TryGetProperty("limits", out var limits) && limits.TryGetProperty("iops", out _));
    }
}
