using Ashlar.Simulation;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>How long commands wait for a server, and what they print of addresses.</summary>
public sealed class WaitingTests
{
    const string Volume = """
        {"apiVersion":"ashlar/v1","kind":"Volume","pool":"main","name":"vm1","id":"7ed4f3e4-4004-4fc7-be51-eba2cc144e4f",
         "sizeBytes":1048576,"blockSizeBytes":512,"isThick":true,"allocatedBytes":1048576,"createdAt":"2026-11-21T01:43:12Z",
         "clients":{"nbd":0,"iscsi":0},"unverifiedBlocks":3,
         "unverified":[{"offsetBytes":4096,"lengthBytes":8192},{"offsetBytes":65536,"lengthBytes":4096}],
         "resize":{"fromBytes":1048576,"toBytes":3145728,"doneBytes":524288},
         "addresses":{"nbd":"nbd://[::1]:10809/vm1","iscsi":"iscsi://[::1]:3260/iqn.2026-11.io.ashlar:main.vm1/0",
         "iscsiTarget":"iqn.2026-11.io.ashlar:main.vm1","iscsiPortal":"[::1]:3260"}}
        """;

    readonly SimulatedClock clock = new();

    [Fact]
    public async Task A_change_is_waited_for_as_long_as_the_server_works_on_it()
    {
        using var server = new ScriptedServer();
        var command = CallAsync("volume", "create", "vm1", "--size", "1MiB", "--thick", "--server", server.Url);
        Assert.StartsWith("POST ", await server.Asked, StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromDays(1));
        server.Answer(Volume);
        var result = await command;
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task A_server_that_dies_while_it_works_on_a_change_is_noticed()
    {
        using var server = new ScriptedServer();
        var command = CallAsync("volume", "create", "vm1", "--size", "1MiB", "--server", server.Url);
        await server.Asked;
        server.Dispose();
        Assert.Equal(7, (await command).ExitCode);
    }

    [Fact]
    public async Task A_look_at_things_is_not_waited_for_forever()
    {
        using var server = new ScriptedServer();
        var command = CallAsync("volume", "show", "vm1", "--server", server.Url);
        await server.Asked;
        clock.Advance(TimeSpan.FromSeconds(30));
        var result = await command;
        Assert.Equal(7, result.ExitCode);
        Assert.Contains("in time", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("start one", result.Error, StringComparison.Ordinal); // There is one.
    }

    [Fact]
    public async Task Addresses_of_version_6_are_printed_so_that_each_tool_resolves_them()
    {
        var screen = await ShowAsync();
        Assert.Contains("nbd-client -N vm1 ::1 10809 /dev/nbd0\n", screen, StringComparison.Ordinal);
        Assert.Contains("nbdinfo nbd://[::1]:10809/vm1\n", screen, StringComparison.Ordinal);
        Assert.Contains("iscsiadm -m discovery -t sendtargets -p [::1]:3260\n", screen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unverified_blocks_and_a_running_resize_are_shown_with_the_volume()
    {
        var screen = await ShowAsync();
        Assert.Contains(
            "3 blocks of 4,096 bytes since the last unclean stop: bytes 4096 to 12287, 65536 to 69631\n", screen, StringComparison.Ordinal);
        Assert.Contains("from 1.00 MiB to 3.00 MiB: 512.00 KiB of 2.00 MiB\n", screen, StringComparison.Ordinal);
    }

    async Task<string> ShowAsync()
    {
        using var server = new ScriptedServer();
        server.Answer(Volume);
        var result = await CallAsync("volume", "show", "vm1", "--server", server.Url);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        return result.Out;
    }

    Task<Outcome> CallAsync(params string[] words) => CalledProgram.RunAsync(new Dictionary<string, string>(), "", clock, words);
}
