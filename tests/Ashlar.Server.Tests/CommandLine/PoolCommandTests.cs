using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar pool</c> against a running server.</summary>
public sealed class PoolCommandTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync() => server = await RunningProgram.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_pool_is_made_larger()
    {
        var resized = await server.CallAsync("pool", "resize", "main", "--size", "96MiB");
        const string Warning = "pool main holds 96 MiB, and the server was started for one of 64 MiB: with that in its options "
            + "(--pool-size, poolSize, ASHLAR_POOL_SIZE) the next start is refused; name the new size there, or leave it out";
        Assert.Equal((0, $"main holds 96.00 MiB now\n! {Warning}\n", ""), (resized.ExitCode, resized.Out, resized.Error));
        Assert.Contains($"! {Warning}\n", (await server.CallAsync("status")).Out, StringComparison.Ordinal);
        var pool = (await server.CallAsync("pool", "show", "main", "-o", "json")).OutJson;
        Assert.Equal(96 << 20, pool.GetProperty("capacityBytes").GetInt64());
        Assert.Equal(0, (await server.CallAsync("volume", "create", "all", "--size", "96MiB", "--thick")).ExitCode);
        await server.StopAsync();
        Assert.Contains($"WARNING {Warning}", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pool_that_would_become_smaller_is_left_as_it_is()
    {
        var refused = await server.CallAsync("pool", "resize", "main", "--size", "1MiB");
        Assert.Equal((6, ""), (refused.ExitCode, refused.Out));
        Assert.Equal("error: pool main holds 64 MiB; 1 MiB are less, and pools cannot shrink\n", refused.Error);
        Assert.Equal(2, (await server.CallAsync("pool", "resize", "main")).ExitCode);
        Assert.Equal(5, (await server.CallAsync("pool", "resize", "tank", "--size", "1GiB")).ExitCode);
    }

    [Fact]
    public async Task What_is_free_below_a_pool_is_shown()
    {
        var shown = await server.CallAsync("pool", "show", "main");
        Assert.Matches("\nFile system +[0-9.]+ .iB free\n", shown.Out);
    }

    [Fact]
    public async Task A_pool_that_becomes_larger_than_what_is_free_below_is_told_of_where_it_is_made_so()
    {
        var resized = await server.CallAsync("pool", "resize", "main", "--size", "10TiB");
        Assert.Equal(0, resized.ExitCode);
        const string Warning = "pool main promises 10 TiB more, but the file system below has ";
        Assert.StartsWith("main holds 10.00 TiB now\n! ", resized.Out, StringComparison.Ordinal);
        Assert.Contains($"\n! {Warning}", resized.Out, StringComparison.Ordinal);
        Assert.Equal(10, (await server.CallAsync("status", "--exit-code")).ExitCode);
        await server.StopAsync(); // Which ends when all of the log is written.
        Assert.Contains(Warning, server.Log, StringComparison.Ordinal);
    }
}
