using Ashlar.Api;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Pools;

/// <summary>A device is one, however many names it has.</summary>
public sealed class DeviceNamesTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Another_name_of_a_device_is_no_other_device()
    {
        await using var server = await OpenAsync("data", host: 1);
        Link("a", "missing");
        await server.Pools.CreateAsync(Request("safe", "a", "b"), "me");
        Link("a", "a-again");
        ExternalTool.Run("ln", directory["a"], directory["a-hard"]).MustSucceed();
        foreach (var name in (string[])["a-again", "a-hard"])
        {
            await RefuseAsync("is a device of pool safe", () => server.Pools.CreateAsync(Request("other", name, "c"), "me"));
            await RefuseAsync(
                "is a device of pool safe",
                () => server.Pools.ReplaceDeviceAsync("safe", new() { Path = directory["b"], Replacement = directory[name] }, "me"));
        }

        // Nor is it to another server.
        await using var other = await OpenAsync("other", host: 2);
        foreach (var name in (string[])["a", "a-again", "a-hard"])
            await RefuseAsync("in use", () => other.Pools.CreateAsync(Request("other", name, "c"), "me"));
        Assert.Equal(["a", "a-again", "a-hard", "b", "data", "missing", "other"], FileSystems.Real.List(directory.DirectoryPath));

        await server.Pools.ExportAsync("safe", force: false, "me");
        await RefuseAsync(
            "named twice", () => server.Pools.ImportAsync(new() { Devices = [directory["a"], directory["a-hard"]] }, "me"));
        await RefuseAsync("named twice", () => server.Pools.CreateAsync(Request("other", "a", "a-hard"), "me"));
    }

    [Fact]
    public async Task A_device_that_comes_back_by_another_name_is_given_what_it_has_missed()
    {
        await using (var server = await OpenAsync("data", host: 1))
            await server.Pools.CreateAsync(Request("safe", "a", "b"), "me");
        File.Move(directory["b"], directory["away"]);
        await using (var server = await OpenAsync("data", host: 1))
        {
            File.Move(directory["away"], directory["b"]);
            ExternalTool.Run("ln", directory["b"], directory["by-id"]).MustSucceed();
            await server.Pools.ReplaceDeviceAsync("safe", new() { Path = directory["b"], Replacement = directory["by-id"] }, "me");
            string[] whole = [$"{directory["a"]} in-sync 0", $"{directory["by-id"]} in-sync 1"];
            await server.UntilAsync(() => server.States("safe").SequenceEqual(whole), "both");
            await server.UntilAsync(
                () => server.Log.Any(line => line.Contains("is given what it has missed", StringComparison.Ordinal)), "the log to say so");
        }
    }

    Task<PoolsUnderTest> OpenAsync(string data, int host) =>
        PoolsUnderTest.OpenAsync(FileSystems.Real, directory[data], host, seed: (ulong)host);

    void Link(string target, string name) => File.CreateSymbolicLink(directory[name], directory[target]);

    CreatePool Request(string name, params string[] devices) => new()
    {
        Name = name,
        Devices = [.. devices.Select(device => directory[device])],
        SizeBytes = PoolsUnderTest.Mebibyte,
        Raid = new() { Level = 1 },
        Force = name == "other",
    };

    static async Task RefuseAsync(string problem, Func<Task> change) =>
        Assert.Contains(problem, (await Assert.ThrowsAsync<ApiException>(change)).Message, StringComparison.Ordinal);
}
