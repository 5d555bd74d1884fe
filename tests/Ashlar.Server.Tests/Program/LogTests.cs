using System.Text.Json;

namespace Ashlar.Server.Tests.Program;

/// <summary>What a server's log says of what happened.</summary>
public sealed partial class LogTests
{
    [Fact]
    public async Task Each_change_of_a_volume_is_a_line_with_who_asked_for_it()
    {
        await using var server = await RunningProgram.StartAsync("--log-format", "json");
        await server.CallAsync("volume", "create", "vm1", "--size", "1MiB");
        await server.CallAsync("volume", "resize", "vm1", "--size", "2MiB");
        await server.CallAsync("volume", "resize", "vm1", "--size", "2MiB"); // Changes nothing.
        await server.CallAsync("volume", "limit", "vm1", "--limit-iops", "500");
        await server.CallAsync("volume", "resize", "vm1", "--size", "1MiB", "--allow-shrink");
        await server.CallAsync("volume", "delete", "vm1", "--yes");
        await server.CallAsync("volume", "delete", "vm1", "--yes"); // Is refused.
        await server.StopAsync();

        var entries = Entries(server);
        Assert.Equal(
            [
                "server-started", "volume-created", "volume-resized", "volume-limited", "volume-resized", "volume-trashed",
                "server-stopping", "server-stopped",
            ],
            entries.Select(entry => Text(entry, "event")));
        Assert.All(entries, entry => Assert.Equal("info", Text(entry, "level")));
        var changes = entries[1..6];
        Assert.All(changes, entry => Assert.Equal(("main", "main/vm1"), (Text(entry, "pool"), Text(entry, "volume"))));
        Assert.All(changes, entry => Assert.StartsWith("127.0.0.1:", Text(entry, "address"), StringComparison.Ordinal));
        Assert.Equal([1 << 20, 2 << 20, 2 << 20, 1 << 20, 1 << 20], changes.Select(entry => entry.GetProperty("sizeBytes").GetInt32()));
        Assert.Equal(
            [
                "volume main/vm1: created: 1048576 bytes, thin, blocks of 512 bytes",
                "volume main/vm1: grown from 1048576 to 2097152 bytes",
                "volume main/vm1: limits changed: 500 requests a second, bytes without a limit",
                "volume main/vm1: shrunk from 2097152 to 1048576 bytes",
                "volume main/vm1: deleted, in the trash until then: 0 of 1048576 bytes are in use",
            ],
            changes.Select(entry => Moment().Replace(Text(entry, "message").Split(", by ")[0], "then")));
    }

    [Fact]
    public async Task Requests_are_told_of_only_to_those_who_debug()
    {
        await using var quiet = await RunningProgram.StartAsync();
        await quiet.CallAsync("status");
        await quiet.StopAsync();
        Assert.DoesNotContain("/v1/status", quiet.Log, StringComparison.Ordinal);

        await using var talkative = await RunningProgram.StartAsync("--log-level", "debug");
        await talkative.CallAsync("status");
        await talkative.StopAsync();
        Assert.Matches(@" DEBUG api: 127\.0\.0\.1:\d+: GET /v1/status: 200 in \d+\.\d ms\n", talkative.Log);
    }

    [Fact]
    public async Task Only_what_matters_enough_is_written()
    {
        await using var server = await RunningProgram.StartAsync("--log-level", "error");
        await server.CallAsync("volume", "create", "vm1", "--size", "1MiB");
        await server.StopAsync();
        Assert.Equal("", server.Log);
    }

    [Theory]
    [InlineData("--log-level", "chatty", "'chatty' is none of debug, info, warning, error")]
    [InlineData("--log-format", "xml", "'xml' is none of text, json")]
    public async Task A_level_or_format_that_does_not_exist_is_refused(string option, string value, string problem)
    {
        var result = await CalledProgram.RunAsync("serve", "--data", "/nowhere/data", "--listen", "192.0.2.1", option, value);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"{option}: {problem}\n", result.Error, StringComparison.Ordinal);
    }

    static JsonElement[] Entries(RunningProgram server) =>
        [.. server.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    static string Text(JsonElement entry, string member) => entry.GetProperty(member).GetString()!;

    [System.Text.RegularExpressions.GeneratedRegex(@"20\S+Z", System.Text.RegularExpressions.RegexOptions.None, 1000)]
    private static partial System.Text.RegularExpressions.Regex Moment();
}
