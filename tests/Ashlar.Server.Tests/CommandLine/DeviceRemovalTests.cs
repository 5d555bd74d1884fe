using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar pool remove-device</c>: a device leaves a pool that is in use.</summary>
public sealed class DeviceRemovalTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    string Data => directory["data"];

    [Fact]
    public async Task A_device_leaves_its_pool_which_is_there_without_it_after_a_restart()
    {
        await File.WriteAllBytesAsync(directory["b"], new byte[16 << 20]);
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            await server.CallAsync("pool", "create", "fast", "--device", directory["a"], "--size", "8MiB");
            await server.CallAsync("pool", "add-device", "fast", "--device", directory["b"]);
            await server.CallAsync("pool", "add-device", "fast", "--device", directory["c"], "--size", "8MiB");
            Assert.Equal(0, (await server.CallAsync("volume", "create", "fast/vm1", "--size", "12MiB", "--thick")).ExitCode);
            var first = await server.CallAsync("pool", "remove-device", "fast", directory["a"]);
            Assert.NotEqual(0, first.ExitCode);
            Assert.Contains("is the first device of pool fast", first.Error, StringComparison.Ordinal);
            var foreign = await server.CallAsync("pool", "remove-device", "fast", directory["x"]);
            Assert.Contains("is no device of pool fast", foreign.Error, StringComparison.Ordinal);

            var removed = await server.CallAsync("pool", "remove-device", "fast", directory["b"]);
            Assert.True(removed.ExitCode == 0, removed.Error + removed.Out);
            Assert.Matches("State +done", removed.Out);
            var shown = await server.CallAsync("pool", "show", "fast");
            Assert.Matches($"Devices +{directory["a"]}\n +{directory["c"]}\n", shown.Out);
            Assert.Equal(16 << 20, await CapacityAsync(server));
            Assert.True((await File.ReadAllBytesAsync(directory["b"])).AsSpan(0, 1 << 20).IndexOfAnyExcept((byte)0) < 0);
            Assert.Contains($"pool fast: {directory["b"]} is taken out", server.Log, StringComparison.Ordinal);
        }
        File.Delete(directory["b"]);
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            Assert.Equal(0, (await server.CallAsync("volume", "show", "fast/vm1")).ExitCode);
            Assert.Equal(0, (await server.CallAsync("pool", "verify", "fast")).ExitCode);
            var added = await server.CallAsync("pool", "add-device", "fast", "--device", directory["d"], "--size", "8MiB");
            Assert.Equal((0, "fast holds 24.00 MiB now\n"), (added.ExitCode, added.Out));
            var last = await server.CallAsync("pool", "remove-device", "fast", directory["d"]);
            Assert.True(last.ExitCode == 0, last.Error);
            Assert.False(File.Exists(directory["d"]));
            Assert.Equal(0, (await server.CallAsync("pool", "export", "fast")).ExitCode);
            var imported = await server.CallAsync("pool", "import", directory["c"], directory["a"]);
            Assert.Equal((0, "fast is imported and holds 16.00 MiB\n"), (imported.ExitCode, imported.Out));
        }
    }

    [Fact]
    public async Task What_the_others_have_no_room_for_is_refused_and_changes_nothing()
    {
        await using var server = await RunningProgram.StartInAsync(Data);
        await server.CallAsync("pool", "create", "fast", "--device", directory["a"], "--device", directory["b"], "--size", "8MiB");
        Assert.Equal(0, (await server.CallAsync("volume", "create", "fast/vm1", "--size", "12MiB", "--thick")).ExitCode);
        var refused = await server.CallAsync("pool", "remove-device", "fast", directory["b"]);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("4 MiB are missing", refused.Error, StringComparison.Ordinal);
        Assert.Equal(16 << 20, await CapacityAsync(server));
    }

    [Fact]
    public async Task One_that_is_slow_goes_on_after_a_restart_and_is_put_back_when_it_is_cancelled()
    {
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            await server.CallAsync("pool", "create", "fast", "--device", directory["a"], "--device", directory["b"], "--size", "64MiB");
            await server.CallAsync("volume", "create", "fast/vm1", "--size", "60MiB", "--thick");
            await server.CallAsync("volume", "create", "fast/vm2", "--size", "40MiB", "--thick");
            var data = Enumerable.Repeat((byte)7, 1 << 20).ToArray(); // Only what holds data has to be copied.
            await NbdWriter.WriteAsync(server, "fast/vm2", [.. Enumerable.Range(0, 40).Select(at => ((long)at << 20, data))]);
            await server.CallAsync("volume", "delete", "fast/vm1", "--now", "--yes");
            var begun = await server.CallAsync(
                "pool", "remove-device", "fast", directory["b"], "--limit-bandwidth", "1MiB", "--no-wait", "-o", "json");
            Assert.Equal(0, begun.ExitCode);
            var task = begun.OutJson.GetProperty("id").GetString()!;
            Assert.Contains($"{directory["b"]} (leaving)", (await server.CallAsync("pool", "show", "fast")).Out, StringComparison.Ordinal);
            Assert.Equal(0, (await server.CallAsync("task", "cancel", task)).ExitCode);
            await WaitAsync(server, task, "cancelled");
            Assert.Equal(128 << 20, await CapacityAsync(server));
            begun = await server.CallAsync("pool", "remove-device", "fast", directory["b"], "--limit-bandwidth", "1MiB", "--no-wait");
            Assert.Equal(0, begun.ExitCode);
        }
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            await WaitAsync(server, "1", "done");
            Assert.Equal(64 << 20, await CapacityAsync(server));
            Assert.Equal(0, (await server.CallAsync("pool", "verify", "fast")).ExitCode);
        }
    }

    [Fact]
    public async Task A_pool_whose_last_device_has_left_says_so_and_starts_with_the_size_that_it_has()
    {
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            await server.CallAsync("pool", "add-device", "main", "--device", directory["b"], "--size", "8MiB");
            var removed = await server.CallAsync("pool", "remove-device", "main", directory["b"]);
            Assert.True(removed.ExitCode == 0, removed.Error + removed.Out);
            var refused = await server.CallAsync("pool", "resize", "main", "--size", "96MiB");
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains("pool main cannot grow: its last device was taken out; add a device", refused.Error, StringComparison.Ordinal);
        }

        var verified = await CalledProgram.RunAsync(["pool", "verify", "main", "--offline", "--data", Data]);
        Assert.Equal((0, ""), (verified.ExitCode, verified.Error));
        await using (var server = await RunningProgram.StartInAsync(Data)) // With --pool-size 64MiB.
        {
            var added = await server.CallAsync("pool", "add-device", "main", "--device", directory["c"], "--size", "16MiB");
            Assert.Equal(0, added.ExitCode);
            Assert.StartsWith("main holds 80.00 MiB now\n", added.Out, StringComparison.Ordinal);
        }
    }

    public void Dispose() => directory.Dispose();

    static async Task<long> CapacityAsync(RunningProgram server) =>
        (await server.CallAsync("pool", "show", "fast", "-o", "json")).OutJson.GetProperty("capacityBytes").GetInt64();

    static async Task WaitAsync(RunningProgram server, string task, string state)
    {
        for (var i = 0; i < 300; i++)
        {
            var shown = await server.CallAsync("task", "show", task, "-o", "json");
            Assert.True(shown.ExitCode == 0, shown.Error + server.Log);
            if (shown.OutJson.GetProperty("state").GetString() == state) return;
            await Task.Delay(50);
        }

        Assert.Fail($"task {task} is not {state}: {(await server.CallAsync("task", "show", task)).Out}");
    }
}
