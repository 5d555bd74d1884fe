namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar pool verify</c>, <c>pool scrub</c> and <c>ashlar task</c> against a running server.</summary>
public sealed class TaskCommandTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync() => server = await RunningProgram.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_pool_is_verified_and_scrubbed_and_both_are_told_of()
    {
        await server.CallAsync("volume", "create", "vm1", "--size", "8MiB", "--thick");
        var verified = await server.CallAsync("pool", "verify", "main");
        Assert.Equal(0, verified.ExitCode);
        Assert.Matches("Task +1, verify of pool main\nState +done\n(.*\n)*Found +nothing wrong\n", verified.Out);
        Assert.Equal("task 1 is started; Ctrl-C leaves it running\n", verified.Error);
        var scrubbed = await server.CallAsync("pool", "scrub", "main", "-o", "json");
        Assert.Equal(0, scrubbed.ExitCode);
        var task = scrubbed.OutJson;
        Assert.Equal(("2", "done", 8L << 20), (Text("id"), Text("state"), task.GetProperty("doneBytes").GetInt64()));
        Assert.Equal("vm1", task.GetProperty("volumes")[0].GetProperty("name").GetString());
        Assert.Equal("1\n2\n", (await server.CallAsync("task", "list", "-q")).Out);
        await server.StopAsync();
        Assert.Contains("task 2: scrub of pool main: done", server.Log, StringComparison.Ordinal);

        string? Text(string name) => task.GetProperty(name).GetString();
    }

    [Fact]
    public async Task A_task_waits_goes_on_and_is_ended()
    {
        await server.CallAsync("volume", "create", "vm1", "--size", "32MiB");
        Assert.Equal(2, (await server.CallAsync("pool", "scrub", "main", "--limit-bandwidth", "1KiB")).ExitCode);
        var begun = await server.CallAsync("pool", "scrub", "main", "--limit-bandwidth", "1MiB", "--no-wait");
        Assert.Equal((0, ""), (begun.ExitCode, begun.Error));
        Assert.Equal(5, (await server.CallAsync("task", "show", "7")).ExitCode);
        Assert.Equal(0, (await server.CallAsync("task", "cancel", "1")).ExitCode);
        Assert.True(await WaitAsync(async () =>
            (await server.CallAsync("task", "show", "1", "-o", "json")).OutJson.TryGetProperty("endedAt", out _)));
    }

    [Fact]
    public async Task A_pool_is_verified_offline_and_not_while_a_server_has_it()
    {
        await server.CallAsync("volume", "create", "vm1", "--size", "8MiB", "--thick");
        Assert.Equal(6, (await server.CallAsync("pool", "verify", "main", "--offline")).ExitCode);
        await server.StopAsync();
        var before = File.GetLastWriteTimeUtc($"{server.Data}/pools/main/data");
        var verified = await server.CallAsync("pool", "verify", "main", "--offline");
        Assert.Equal((0, ""), (verified.ExitCode, verified.Error));
        Assert.Matches("Task +offline, verify of pool main\nState +done\n(.*\n)*Found +nothing wrong\n", verified.Out);
        Assert.Equal(before, File.GetLastWriteTimeUtc($"{server.Data}/pools/main/data"));
        Assert.Equal(5, (await server.CallAsync("pool", "verify", "fast", "--offline")).ExitCode);
    }

    static async Task<bool> WaitAsync(Func<Task<bool>> isSo)
    {
        for (var i = 0; i < 200; i++)
        {
            if (await isSo()) return true;
            await Task.Delay(20);
        }
        return false;
    }
}
