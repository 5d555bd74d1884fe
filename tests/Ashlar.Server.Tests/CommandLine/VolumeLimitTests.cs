using System.Text.Json;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar volume limit</c>, and what shows limits.</summary>
public sealed class VolumeLimitTests
{
    [Fact]
    public async Task Limits_are_set_shown_changed_and_lifted()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB", "--limit-iops", "500");
        Assert.Equal((500L, null), Of((await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson));
        Assert.Contains("Limits   500 IOPS\n", (await server.CallAsync("volume", "show", "vm1")).Out, StringComparison.Ordinal);

        var changed = await server.CallAsync("volume", "limit", "vm1", "--limit-bandwidth", "100MiB");
        Assert.Equal((0, "limits of vm1: 500 IOPS, 100.00 MiB/s\n"), (changed.ExitCode, changed.Out));
        Assert.Equal("limits of vm1: 100.00 MiB/s\n", (await server.CallAsync("volume", "limit", "vm1", "--limit-iops", "none")).Out);
        var lifted = await server.CallAsync("volume", "limit", "vm1", "--limit-bandwidth", "none", "-o", "json");
        Assert.False(lifted.OutJson.TryGetProperty("limits", out _));
        Assert.Contains("Limits   none\n", (await server.CallAsync("volume", "show", "vm1")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_outlast_the_server()
    {
        using var directory = new TemporaryDirectory();
        await using (var server = await RunningProgram.StartInAsync(directory["data"]))
            await server.CallAsync("volume", "create", "vm1", "--size", "1GiB", "--limit-iops", "500", "--limit-bandwidth", "10MB/s");
        await using var again = await RunningProgram.StartInAsync(directory["data"]);
        Assert.Equal((500L, 10_000_000L), Of((await again.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson));
    }

    [Theory]
    [InlineData("--limit-iops: '0' is not a number of requests a second", "--limit-iops", "0")]
    [InlineData("--limit-iops: '1k' is not a number of requests a second", "--limit-iops", "1k")]
    [InlineData("--limit-bandwidth: '0' is zero", "--limit-bandwidth", "0")]
    [InlineData("--limit-bandwidth: 'fast' is not a size", "--limit-bandwidth", "fast")]
    [InlineData("nothing to change")]
    public async Task What_makes_no_sense_is_refused(string message, params string[] options)
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        var refused = await server.CallAsync(["volume", "limit", "vm1", .. options]);
        Assert.Equal((2, ""), (refused.ExitCode, refused.Out));
        Assert.StartsWith($"error: {message}", refused.Error, StringComparison.Ordinal);
    }

    static (long? Iops, long? BytesPerSecond) Of(JsonElement volume)
    {
        var limits = volume.GetProperty("limits");
        return (Get(limits, "iops"), Get(limits, "bytesPerSecond"));
    }

    static long? Get(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetInt64() : null;
}
