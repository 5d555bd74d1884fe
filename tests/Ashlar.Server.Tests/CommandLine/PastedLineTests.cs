using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Lines that the program prints for people to type are begun, and name the server, as these people need it.</summary>
public sealed class PastedLineTests
{
    static readonly Surroundings FromRepository = new() { Program = "./ashlar" };

    [Fact]
    public async Task Up_prints_lines_that_lead_to_it_from_another_terminal()
    {
        using var directory = new TemporaryDirectory();
        using var stop = new CancellationTokenSource();
        var output = new SharedText();
        var data = $"{directory["a directory"]}/./data";
        var run = AshlarProgram.RunAsync(
            [
                "up", "--data", data, "--pool-size", "64MiB", "--nbd-port", "0", "--iscsi-port", "0", "--nvme-port", "0", "--api-port", "0",
                "--s3-port", "0",
            ],
            CalledProgram.Terminal(output.Writer, new SharedText().Writer, FromRepository),
            stop.Token);
        while (!run.IsCompleted && !output.ToString().Contains("Ctrl-C", StringComparison.Ordinal)) await Task.Yield();
        var named = $"--data '{Path.GetFullPath(data)}'";
        Assert.Contains(
            $"\n  ./ashlar volume create vm1 --size 10GiB {named}\n  ./ashlar status {named}\n",
            output.ToString(), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(ExitCode.Ok, await run);
    }

    [Fact]
    public async Task Hints_name_the_directory_or_the_server_that_was_named()
    {
        await using var server = await RunningProgram.StartAsync();
        var byDirectory = await CalledProgram.RunAsync(FromRepository, "volume", "show", "x", "--data", server.Data);
        Assert.EndsWith($"\nhint: ./ashlar volume list --data {server.Data}\n", byDirectory.Error, StringComparison.Ordinal);
        var url = server.Status.Endpoints.Api;
        var byUrl = await CalledProgram.RunAsync(FromRepository, "pool", "show", "x", "--server", url);
        Assert.EndsWith($"\nhint: ./ashlar pool list --server {url}\n", byUrl.Error, StringComparison.Ordinal);
        // What the environment names need not be typed.
        var surroundings = FromRepository with { Environment = new Dictionary<string, string> { ["ASHLAR_DATA"] = server.Data } };
        var byVariable = await CalledProgram.RunAsync(surroundings, "volume", "show", "x");
        Assert.EndsWith("\nhint: ./ashlar volume list\n", byVariable.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_server_runs_the_line_that_starts_one_is_printed()
    {
        using var directory = new TemporaryDirectory();
        var named = await CalledProgram.RunAsync(FromRepository, "volume", "list", "--data", directory["data"]);
        Assert.Equal(
            (7, $"error: no server runs on {directory["data"]}\nhint: start one with: ./ashlar up --data {directory["data"]}\n"),
            (named.ExitCode, named.Error));
        var elsewhere = await CalledProgram.RunAsync(FromRepository, "status", "--server", "http://127.0.0.1:1");
        Assert.EndsWith("\nhint: start one with: ./ashlar up\n", elsewhere.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_created_by_the_line_that_is_printed()
    {
        using var directory = new TemporaryDirectory();
        var store = directory["a store"];
        var result = await CalledProgram.RunAsync(FromRepository, "kv", "load", store, "--generate", "3");
        Assert.Equal(
            (5, $"error: {store}: there is no such directory\nhint: create it with: ./ashlar kv create '{store}'\n"),
            (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task Help_shows_usage_and_examples_as_this_user_types_them()
    {
        var help = (await CalledProgram.RunAsync(FromRepository, "volume", "create", "--help")).Out;
        Assert.Contains("\nUsage:\n  ./ashlar volume create VOLUME --size SIZE [OPTIONS]\n", help, StringComparison.Ordinal);
        Assert.Contains("\nExamples:\n  ./ashlar volume create vm1 --size 10GiB\n", help, StringComparison.Ordinal);
        Assert.DoesNotContain("  ashlar ", help, StringComparison.Ordinal);
        var usage = await CalledProgram.RunAsync(FromRepository, "volume", "create", "x");
        Assert.EndsWith("\nhint: ./ashlar volume create --help\n", usage.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_shows_the_options_for_servers_where_there_is_one()
    {
        Assert.Contains("--server URL", (await CalledProgram.RunAsync("volume", "list", "--help")).Out, StringComparison.Ordinal);
        var up = (await CalledProgram.RunAsync("up", "--help")).Out;
        Assert.Contains("--data DIR", up, StringComparison.Ordinal);
        Assert.DoesNotContain("--server", up, StringComparison.Ordinal);
        foreach (var line in (string[])["plan", "plan estimate", "kv", "kv put", "device show", "version"])
        {
            var help = (await CalledProgram.RunAsync([.. line.Split(' '), "--help"])).Out;
            Assert.DoesNotContain("--server", help, StringComparison.Ordinal);
            Assert.DoesNotContain("--data DIR", help, StringComparison.Ordinal);
        }
    }
}
