namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Commands on several volumes, and what is said of them where nobody wants to read much.</summary>
public sealed class SeveralVolumesTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartAsync();
        foreach (var name in (string[])["a", "b", "c"]) await server.CallAsync("volume", "create", name, "--size", "1GiB");
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Several_volumes_are_deleted_by_one_command()
    {
        Assert.Equal("a is in the trash\nb is in the trash\n", (await server.CallAsync("volume", "delete", "a", "b", "a", "--yes")).Out);
        Assert.Equal("c\n", (await server.CallAsync("volume", "list", "-q")).Out);
    }

    [Fact]
    public async Task Each_is_tried_each_failure_is_told_and_the_first_decides_the_exit_code()
    {
        var result = await server.CallAsync("volume", "delete", "a", "missing", "c", "gone", "--yes");
        Assert.Equal((5, "a is in the trash\nc is in the trash\n"), (result.ExitCode, result.Out));
        Assert.Equal(2, result.Error.Split("error: ").Length - 1);
        Assert.Contains("missing", result.Error, StringComparison.Ordinal);
        Assert.Contains("gone", result.Error, StringComparison.Ordinal);
        Assert.Equal("b\n", (await server.CallAsync("volume", "list", "-q")).Out);
    }

    [Fact]
    public async Task One_question_is_asked_for_all_of_them()
    {
        var asked = await CalledProgram.RunAsync(
            new Surroundings { Typed = "n\n" }, "volume", "delete", "a", "missing", "b", "--data", server.Data);
        Assert.Equal(130, asked.ExitCode);
        Assert.Contains("Delete 2 volumes and the 0 B on them to the trash: a, b? [y/N] ", asked.Error, StringComparison.Ordinal);
        Assert.Equal("a\nb\nc\n", (await server.CallAsync("volume", "list", "-q")).Out);
    }

    [Fact]
    public async Task Several_volumes_are_shown_as_sheets_and_as_one_list()
    {
        var sheets = await server.CallAsync("volume", "show", "a", "missing", "c");
        Assert.Equal(5, sheets.ExitCode);
        Assert.Matches(@"(?s)^Name +a\n.*\n\nName +c\n", sheets.Out);
        var list = (await server.CallAsync("volume", "show", "a", "c", "-o", "json")).OutJson;
        Assert.Equal("VolumeList", list.GetProperty("kind").GetString());
        Assert.Equal(["a", "c"], list.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()));
        Assert.Equal("Volume", (await server.CallAsync("volume", "show", "a", "-o", "json")).OutJson.GetProperty("kind").GetString());
    }

    [Fact]
    public async Task Several_volumes_are_limited_by_one_command() => Assert.Equal(
        "limits of a: 500 IOPS\nlimits of b: 500 IOPS\n",
        (await server.CallAsync("volume", "limit", "a", "b", "--limit-iops", "500")).Out);

    [Theory]
    [InlineData("volume create d --size 500GB --block-size 4096 -q")]
    [InlineData("volume resize a --size 2GiB --quiet")]
    [InlineData("volume limit a --limit-iops 5 -q")]
    [InlineData("volume delete a b --yes -q")]
    public async Task A_quiet_change_says_nothing(string line)
    {
        var result = await server.CallAsync(line.Split(' '));
        Assert.Equal((0, "", ""), (result.ExitCode, result.Out, result.Error));
    }

    [Fact]
    public async Task A_quiet_look_gives_names()
    {
        Assert.Equal("a\nc\n", (await server.CallAsync("volume", "show", "a", "c", "-q")).Out);
        Assert.Equal("main\n", (await server.CallAsync("pool", "list", "-q")).Out);
    }

    [Fact]
    public async Task How_to_connect_is_told_to_people_alone()
    {
        Assert.Equal(
            "d is created: 1.00 GiB, blocks of 512 bytes\n", (await server.CallAsync("volume", "create", "d", "--size", "1GiB")).Out);
        var atTerminal = await CalledProgram.RunAsync(
            new Surroundings { Width = 80 }, "volume", "create", "e", "--size", "1GiB", "--data", server.Data);
        Assert.Contains("\nConnect:\n", atTerminal.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("500GB", "4096", 500_000_002_048, "500,000,000,000 bytes", "500,000,002,048 bytes, 465.66 GiB")]
    [InlineData("1GB", "4096", 1_000_001_536, "1,000,000,000 bytes", "1,000,001,536 bytes, 953.68 MiB")]
    [InlineData("1000", "512", 1024, "1,000 bytes", "1,024 bytes, 1.00 KiB")]
    public async Task A_size_is_rounded_up_to_whole_blocks_and_that_is_told(
        string size, string block, long bytes, string asked, string became)
    {
        var created = await server.CallAsync("volume", "create", "d", "--size", size, "--block-size", block);
        Assert.Equal((0, $"note: {asked} are rounded up to whole blocks of {block}: {became}\n"), (created.ExitCode, created.Error));
        Assert.Equal(bytes, (await server.CallAsync("volume", "show", "d", "-o", "json")).OutJson.GetProperty("sizeBytes").GetInt64());

        // Resizing to the same size asks for the same blocks.
        var resized = await server.CallAsync("volume", "resize", "d", "--size", size, "-o", "json");
        Assert.Equal((0, "", bytes), (resized.ExitCode, resized.Error, resized.OutJson.GetProperty("sizeBytes").GetInt64()));
    }

    [Fact]
    public async Task Fractions_of_units_are_exact()
    {
        await server.CallAsync("volume", "create", "d", "--size", "1.5TiB");
        var shown = await server.CallAsync("volume", "show", "d", "-o", "json");
        Assert.Equal(1536L << 30, shown.OutJson.GetProperty("sizeBytes").GetInt64());
        Assert.Contains("(1,649,267,441,664 bytes)", (await server.CallAsync("volume", "show", "d")).Out, StringComparison.Ordinal);
    }
}
