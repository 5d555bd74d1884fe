namespace Ashlar.Server.Tests.CommandLine;

/// <summary>What people say of volumes.</summary>
public sealed class VolumeLabelTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartAsync();
        await server.CallAsync(
            "volume", "create", "a", "--size", "1MiB", "--label", "env=prod", "--label", "tier=1", "--description", "the first");
        await server.CallAsync("volume", "create", "b", "--size", "1MiB", "--label", "env=test");
        await server.CallAsync("volume", "create", "c", "--size", "1MiB");
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Theory]
    [InlineData("a\n", "--label", "env=prod")]
    [InlineData("a\nb\n", "--label", "env")]
    [InlineData("a\n", "--label", "env", "--label", "tier=1")]
    [InlineData("", "--label", "env=prod", "--label", "tier=2")]
    [InlineData("", "--label", "tier=")]
    [InlineData("a\n", "--filter", "labels=*tier=1*")]
    public async Task A_list_is_of_those_that_have_the_labels(string names, params string[] options) =>
        Assert.Equal(names, (await server.CallAsync(["volume", "list", "-q", .. options])).Out);

    [Fact]
    public async Task They_are_set_taken_away_shown_and_kept()
    {
        Assert.Equal(
            "a: labels env=dev, owner; 'the first'\n",
            (await server.CallAsync("volume", "set", "a", "--label", "env=dev", "--unlabel", "tier", "--label", "owner=")).Out);
        Assert.Equal("a: no labels\nb: no labels\n", (await server.CallAsync(
            "volume", "set", "a", "b", "--unlabel", "env", "--unlabel", "owner", "--description", "")).Out);
        await server.CallAsync("volume", "set", "c", "--description", "Büro, 2. Stock", "--label", "A/b.c_d-9=x y=z");
        var shown = (await server.CallAsync("volume", "show", "c")).Out;
        Assert.Matches("\nDescription +Büro, 2. Stock\nLabels +A/b.c_d-9=x y=z\n", shown);
        Assert.Equal("LABELS\n-\n-\nA/b.c_d-9=x y=z\n", (await server.CallAsync("volume", "list", "--columns", "labels")).Out);
    }

    [Theory]
    [InlineData("'env' is not a label: expected KEY=VALUE", "--label", "env")]
    [InlineData("'_x' is not the key of a label", "--label", "_x=1")]
    [InlineData("'env' is given twice", "--label", "env=1", "--label", "env=2")]
    [InlineData("'env' is set or taken away by another option", "--label", "env=1", "--unlabel", "env")]
    [InlineData("nothing to change")]
    [InlineData("a description has no control characters", "--description", "a\nb")]
    public async Task What_cannot_be_said_is_refused(string message, params string[] options)
    {
        var refused = await server.CallAsync(["volume", "set", "c", .. options]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains(message, refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_of_a_selection_go_on_with_it_and_a_change_changes_the_tag_of_settings()
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Status.Endpoints.Api) };
        var first = await http.GetStringAsync("/v1/pools/main/volumes?limit=1&label=env");
        Assert.Contains("&label=env\"", first, StringComparison.Ordinal);
        Assert.Equal(400, (int)(await http.GetAsync("/v1/pools/main/volumes?label=a,,b")).StatusCode);

        using var before = await http.GetAsync("/v1/pools/main/volumes/a");
        await server.CallAsync("volume", "set", "a", "--label", "x=y");
        using var stale = new HttpRequestMessage(HttpMethod.Delete, "/v1/pools/main/volumes/a");
        stale.Headers.IfMatch.Add(before.Headers.ETag!);
        Assert.Equal(412, (int)(await http.SendAsync(stale)).StatusCode);
    }
}
