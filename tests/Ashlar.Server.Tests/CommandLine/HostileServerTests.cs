using System.Globalization;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Whoever answers at an address is believed no more than needed.</summary>
public sealed class HostileServerTests
{
    const string Evil = """a\u001b]52;c;ZXZpbA==\u0007\nerror: forged\u202e""";

    const string Volume = $$"""
        {"apiVersion":"ashlar/v1","kind":"Volume","pool":"main","name":"{{Evil}}","id":"7ed4f3e4-4004-4fc7-be51-eba2cc144e4f",
         "sizeBytes":1048576,"blockSizeBytes":512,"isThick":false,"allocatedBytes":0,"createdAt":"2026-11-21T01:43:12Z",
         "clients":{"nbd":0,"iscsi":1},
         "sessions":[{"protocol":"iscsi","client":"iqn.{{Evil}}","address":"[::1]:1","attachedAt":"2026-11-21T01:43:12Z","inFlight":0,
         "holdsReservation":false,{{NoOperations}} }],
         "addresses":{"nbd":"nbd://[::1]:10809/vm1","iscsi":"iscsi://[::1]:3260/iqn.2026-11.io.ashlar:main.vm1/0",
         "iscsiTarget":"iqn.2026-11.io.ashlar:main.vm1","iscsiPortal":"[::1]:3260"} }
        """;

    const string None = """{"count":0,"bytes":0,"errors":0}""";

    const string NoOperations = $$"""
        "reads":{{None}},"writes":{{None}},"zeroes":{{None}},"trims":{{None}},"flushes":{{None}}
        """;

    [Theory]
    [InlineData("/v1/pools")]
    [InlineData("/v1/pools?after=x")]
    [InlineData("http://127.0.0.1:1/v1/pools")]
    [InlineData("//127.0.0.1:1/v1/pools")]
    [InlineData("/elsewhere")]
    [InlineData("")]
    public async Task A_next_page_is_a_page_of_this_server_and_another_one(string next)
    {
        using var server = new ScriptedServer();
        server.Answer($$"""{"apiVersion":"ashlar/v1","kind":"PoolList","items":[],"next":"{{next}}"}""");
        var result = await CalledProgram.RunAsync("pool", "list", "--server", server.Url);
        Assert.Equal((1, ""), (result.ExitCode, result.Out));
        Assert.Equal($"error: {server.Url} gives a list without a valid next page\n", result.Error);
        Assert.InRange(server.RequestCount, 1, 2);
    }

    [Fact]
    public async Task Names_on_the_screen_neither_end_lines_nor_tell_the_terminal_what_to_do()
    {
        using var server = new ScriptedServer();
        server.Answer(Volume);
        var result = await CalledProgram.RunAsync(new Surroundings { Width = 200 }, "volume", "show", "x", "--server", server.Url);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("a?]52;c;ZXZpbA==??error: forged?", result.Out, StringComparison.Ordinal);
        Assert.Contains("iscsi iqn.a?]52;c;", result.Out, StringComparison.Ordinal);
        MustBeHarmless(result.Out);
    }

    [Fact]
    public async Task Sessions_leave_out_what_does_not_fit()
    {
        using var server = new ScriptedServer();
        server.Answer(Volume.Replace(Evil, "a", StringComparison.Ordinal));
        var result = await CalledProgram.RunAsync(new Surroundings { Width = 45 }, "volume", "show", "x", "--server", server.Url);
        var heading = Assert.Single(result.Out.Split('\n'), line => line.StartsWith("CLIENT", StringComparison.Ordinal));
        Assert.Matches("^CLIENT +FROM +READ +WRITTEN +ERRORS$", heading);
    }

    [Fact]
    public async Task A_refusal_is_one_line_of_text()
    {
        using var server = new ScriptedServer(status: 404);
        server.Answer($$"""
            {"type":"urn:ashlar:problem:volume-not-found","title":"Not found","status":404,"detail":"{{Evil}}","hint":"{{Evil}}"}
            """);
        var result = await CalledProgram.RunAsync("volume", "show", "x", "--server", server.Url);
        Assert.Equal(5, result.ExitCode);
        Assert.Equal(2, result.Error.Count(c => c == '\n'));
        MustBeHarmless(result.Error);
    }

    static void MustBeHarmless(string text) => Assert.DoesNotContain(
        text, c => c != '\n' && (char.IsControl(c) || char.GetUnicodeCategory(c) == UnicodeCategory.Format));
}
