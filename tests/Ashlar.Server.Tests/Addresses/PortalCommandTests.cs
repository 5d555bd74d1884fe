using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Addresses;

/// <summary><c>ashlar portal</c> with a server on two addresses, and what initiators hear of it.</summary>
public sealed class PortalCommandTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync() => server = await RunningProgram.StartAsync("--listen", "127.0.0.1", "--listen", "127.0.0.2");

    public Task DisposeAsync() => server.DisposeAsync().AsTask();

    [Fact]
    public async Task Each_address_is_a_portal_whose_access_is_set_by_its_number()
    {
        Assert.Equal([(1, "127.0.0.1", "optimized"), (2, "127.0.0.2", "optimized")], await ListAsync());
        Assert.Equal("portal 2 at 127.0.0.2 is standby\n", await CallAsync("portal", "set", "2", "--access", "standby"));
        Assert.Equal([(1, "127.0.0.1", "optimized"), (2, "127.0.0.2", "standby")], await ListAsync());
        Assert.Contains("portal 2 at 127.0.0.2 is standby, by 127.0.0.1:", server.Log, StringComparison.Ordinal);
        Assert.Equal("2\n", await CallAsync("portal", "ls", "--filter", "access=standby", "-o", "name"));
    }

    [Theory]
    [InlineData(5, "portal", "set", "3", "--access", "standby")]
    [InlineData(5, "portal", "set", "0", "--access", "standby")]
    [InlineData(5, "portal", "set", "one", "--access", "standby")]
    [InlineData(2, "portal", "set", "1", "--access", "gone")]
    [InlineData(2, "portal", "set", "1")]
    public async Task Wrong_words_and_what_there_is_not_are_said(int exitCode, params string[] words) =>
        Assert.Equal(exitCode, (await server.CallAsync(words)).ExitCode);

    [FactIfTool("iscsi-ls", "iscsi-inq")]
    public async Task Initiators_find_every_portal_and_the_group_that_it_is()
    {
        await CallAsync("volume", "create", "vm1", "--size", "1MiB");
        var port = server.Status.Endpoints.Iscsi.Split(':')[^1];
        var found = ExternalTool.Run("iscsi-ls", $"iscsi://127.0.0.2:{port}").MustSucceed();
        Assert.Contains($"127.0.0.1:{port},1", found, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.2:{port},2", found, StringComparison.Ordinal);
        var page = ExternalTool.Run(
            "iscsi-inq", "-e", "1", "-c", "131", $"iscsi://127.0.0.2:{port}/iqn.2026-11.io.ashlar:main.vm1/0").MustSucceed();
        Assert.Contains(",t,0x0002", page, StringComparison.Ordinal);
    }

    async Task<(int, string, string)[]> ListAsync() =>
    [
        .. (await server.CallAsync("portal", "list", "-o", "json")).OutJson.GetProperty("items").EnumerateArray().Select(each => (
            each.GetProperty("number").GetInt32(), each.GetProperty("address").GetString()!, each.GetProperty("access").GetString()!)),
    ];

    async Task<string> CallAsync(params string[] words)
    {
        var outcome = await server.CallAsync(words);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return outcome.Out;
    }
}
