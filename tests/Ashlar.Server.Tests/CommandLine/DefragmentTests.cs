namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar volume defragment</c>, and what <c>volume show</c> says of it.</summary>
public sealed class DefragmentTests
{
    [Fact]
    public async Task A_volume_that_lies_scattered_is_put_in_order_and_both_are_told()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "4MiB");
        await NbdWriter.WriteAsync(server, "vm1", (0, [.. Enumerable.Repeat((byte)1, 4 << 20)]));
        Assert.DoesNotContain("Layout", (await server.CallAsync("volume", "show", "vm1")).Out, StringComparison.Ordinal);
        await server.CallAsync("snapshot", "create", "vm1@monday");
        await NbdWriter.WriteAsync(
            server, "vm1", [.. Enumerable.Range(0, 64).Select(i => ((long)i << 16, (byte[])[2, .. new byte[4095]]))]);
        await server.CallAsync("snapshot", "delete", "vm1@monday", "--yes");
        var shown = await server.CallAsync("volume", "show", "vm1");
        Assert.Matches("Layout +[0-9.]+ % scattered, [0-9]+ pieces of ", shown.Out);
        var ordered = await server.CallAsync("volume", "defragment", "vm1");
        Assert.True(ordered.ExitCode == 0, ordered.Error + ordered.Out);
        Assert.Contains("% scattered", ordered.Error + ordered.Out, StringComparison.Ordinal);
        Assert.Matches("State +done", ordered.Out);
        Assert.DoesNotContain("Layout", (await server.CallAsync("volume", "show", "vm1")).Out, StringComparison.Ordinal);
        Assert.Equal(0, (await server.CallAsync("pool", "verify", "main")).ExitCode);
        Assert.Equal(5, (await server.CallAsync("volume", "defragment", "vm2")).ExitCode);
    }
}
