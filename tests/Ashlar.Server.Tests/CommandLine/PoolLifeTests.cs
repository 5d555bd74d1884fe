using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Pools on devices, from the command line, of a server that is started again.</summary>
public sealed class PoolLifeTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    string Data => directory["data"];

    [Fact]
    public async Task A_pool_is_made_on_devices_grows_by_one_and_is_there_after_a_restart()
    {
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            var created = await server.CallAsync(
                "pool", "create", "fast", "--device", directory["a"], "--device", directory["b"], "--size", "8MiB");
            Assert.Equal((0, "fast is created and holds 16.00 MiB\n", ""), (created.ExitCode, created.Out, created.Error));
            Assert.Equal(0, (await server.CallAsync("volume", "create", "fast/vm1", "--size", "4MiB")).ExitCode);
            var added = await server.CallAsync("pool", "add-device", "fast", "--device", directory["c"], "--size", "8MiB");
            Assert.Equal((0, "fast holds 24.00 MiB now\n"), (added.ExitCode, added.Out));
            var (_, volume) = (0, (await server.CallAsync("volume", "show", "fast/vm1", "-o", "json")).OutJson);
            Assert.EndsWith("/fast/vm1", volume.GetProperty("addresses").GetProperty("nbd").GetString(), StringComparison.Ordinal);
            Assert.Equal("iqn.2026-11.io.ashlar:fast.vm1", volume.GetProperty("addresses").GetProperty("iscsiTarget").GetString());
        }
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            var shown = await server.CallAsync("pool", "show", "fast");
            Assert.Matches($"Devices +{directory["a"]}\n +{directory["b"]}\n +{directory["c"]}\n", shown.Out);
            Assert.Matches("Volumes +1\n", shown.Out);
            Assert.Contains("fast/vm1", (await server.CallAsync("volume", "list", "fast")).Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_pool_without_one_of_its_devices_is_told_of_and_others_serve()
    {
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            await server.CallAsync("pool", "create", "fast", "--device", directory["a"], "--device", directory["b"], "--size", "8MiB");
            await server.CallAsync("volume", "create", "vm1", "--size", "4MiB");
        }
        File.Move(directory["b"], directory["moved"]);
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            var shown = await server.CallAsync("pool", "show", "fast", "-o", "json");
            Assert.Equal("unavailable", shown.OutJson.GetProperty("state").GetString());
            Assert.Contains($"{directory["b"]}", shown.OutJson.GetProperty("reason").GetString(), StringComparison.Ordinal);
            var status = await server.CallAsync("status", "--exit-code");
            Assert.Equal(10, status.ExitCode);
            Assert.Matches("\nPool fast +unavailable\n", status.Out);
            Assert.Equal(0, (await server.CallAsync("volume", "show", "vm1")).ExitCode);
            Assert.Equal(6, (await server.CallAsync("volume", "list", "fast")).ExitCode);
            Assert.Equal(6, (await server.CallAsync("pool", "delete", "fast", "--yes")).ExitCode);

            var imported = await server.CallAsync("pool", "import", directory["moved"], directory["a"], "--name", "again");
            Assert.Equal((0, "again is imported and holds 16.00 MiB\n", ""), (imported.ExitCode, imported.Out, imported.Error));
            Assert.Equal(0, (await server.CallAsync("volume", "create", "again/vm1", "--size", "4MiB")).ExitCode);
        }
        await using (var server = await RunningProgram.StartInAsync(Data))
            Assert.Equal(
                "available", (await server.CallAsync("pool", "show", "again", "-o", "json")).OutJson.GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_pool_is_exported_renamed_and_deleted()
    {
        await using var server = await RunningProgram.StartInAsync(Data);
        await server.CallAsync("pool", "create", "fast", "--device", directory["a"], "--size", "8MiB");
        await server.CallAsync("volume", "create", "fast/vm1", "--size", "4MiB");
        Assert.Equal("fast is called slow now\n", (await server.CallAsync("pool", "rename", "fast", "slow")).Out);
        Assert.Equal(5, (await server.CallAsync("pool", "show", "fast")).ExitCode);
        Assert.Contains("slow/vm1", (await server.CallAsync("volume", "list", "slow")).Out, StringComparison.Ordinal);
        Assert.Equal(0, (await server.CallAsync("pool", "export", "slow")).ExitCode);
        Assert.Equal("exported", (await server.CallAsync("pool", "show", "slow", "-o", "json")).OutJson.GetProperty("state").GetString());
        File.Move(directory["a"], directory["b"]);
        Assert.Equal(0, (await server.CallAsync("pool", "import", directory["b"])).ExitCode);
        var refused = await server.CallAsync("pool", "delete", "slow", "--yes");
        Assert.Equal(6, refused.ExitCode);
        Assert.StartsWith("error: pool slow holds 1 volume, which would be lost\n", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await server.CallAsync("pool", "delete", "slow", "--yes", "--force")).ExitCode);
        Assert.True(File.Exists(directory["b"])); // It was not made there.
        Assert.Equal(0, (await server.CallAsync("pool", "create", "slow", "--device", directory["b"])).ExitCode); // It looks empty.
        Assert.Equal(["main", "slow"], Directory.GetDirectories(directory["data/pools"]).Select(Path.GetFileName).Order());
        Assert.Equal(0, (await server.CallAsync("pool", "delete", "main", "--yes")).ExitCode);
        Assert.Equal(["slow"], (await server.CallAsync("pool", "list", "-q")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await server.StopAsync();
        await using var again = await RunningProgram.StartInAsync(Data);
        Assert.Equal("slow\n", (await again.CallAsync("pool", "list", "-q")).Out);
    }

    [Fact]
    public async Task Files_that_are_made_for_a_pool_go_with_it_and_a_pool_without_devices_is_a_file_of_the_server()
    {
        await using var server = await RunningProgram.StartInAsync(Data);
        await server.CallAsync("pool", "create", "fast", "--device", directory["a"], "--size", "8MiB");
        Assert.Equal("fast is deleted\n", (await server.CallAsync("pool", "rm", "fast", "-y")).Out);
        Assert.Equal(["data"], Directory.GetFileSystemEntries(directory.DirectoryPath).Select(Path.GetFileName));
        Assert.Equal(0, (await server.CallAsync("pool", "create", "scratch", "--size", "8MiB")).ExitCode);
        Assert.True(File.Exists(directory["data/pools/scratch/data"]));
    }

    [Fact]
    public async Task A_device_that_holds_something_or_is_taken_is_refused_and_left_as_it_is()
    {
        await using var server = await RunningProgram.StartInAsync(Data);
        var content = new byte[32 << 20];
        "XFSB"u8.CopyTo(content);
        await File.WriteAllBytesAsync(directory["xfs"], content);
        await server.CallAsync("pool", "create", "fast", "--device", directory["a"], "--size", "8MiB");
        foreach (var (device, problem) in new[]
        {
            (directory["xfs"], "it holds a file system: xfs"),
            (directory["a"], "it is a device of pool fast"),
            (directory["missing"], "there is no"),
            (directory["data/pools/main/data"], "it is in the data directory of the server"),
            (directory["no/where"], "there is no directory"),
            (directory.DirectoryPath, "it is in the data directory of the server"), // Or around it.
            ("/dev", "it is a directory"),
        })
        {
            var refused = await server.CallAsync("pool", "create", "other", "--device", device);
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains(problem, refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(content, await File.ReadAllBytesAsync(directory["xfs"]));
        Assert.Equal(6, (await server.CallAsync("pool", "create", "main", "--size", "8MiB")).ExitCode);
        Assert.Equal(2, (await server.CallAsync("pool", "create", "a.b", "--size", "8MiB")).ExitCode);
        Assert.Equal(2, (await server.CallAsync("pool", "create", "other")).ExitCode);
        Assert.Equal(0, (await server.CallAsync("pool", "create", "other", "--device", directory["xfs"], "--force")).ExitCode);
    }

    [Fact]
    public async Task Thresholds_are_set_and_remembered()
    {
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            await server.CallAsync("volume", "create", "vm1", "--size", "32MiB", "--thick");
            Assert.Equal("ok\n", (await server.CallAsync("status", "-q")).Out);
            var set = await server.CallAsync("pool", "set", "main", "--warn-at", "40", "--warn-again-at", "45%");
            Assert.StartsWith("main says so when it is 40 % and 45 % full\n! pool main is 50", set.Out, StringComparison.Ordinal);
            Assert.Equal(2, (await server.CallAsync("pool", "set", "main")).ExitCode);
            Assert.Equal(2, (await server.CallAsync("pool", "set", "main", "--warn-at", "95")).ExitCode);
            Assert.Equal(2, (await server.CallAsync("pool", "set", "main", "--warn-at", "0")).ExitCode);
        }
        await using (var server = await RunningProgram.StartInAsync(Data))
        {
            var pool = (await server.CallAsync("pool", "show", "main", "-o", "json")).OutJson;
            Assert.Equal(
                (40, 45), (pool.GetProperty("softThresholdPercent").GetInt32(), pool.GetProperty("hardThresholdPercent").GetInt32()));
            Assert.Equal(0.5, pool.GetProperty("overcommitRatio").GetDouble());
        }
    }

    public void Dispose() => directory.Dispose();
}
