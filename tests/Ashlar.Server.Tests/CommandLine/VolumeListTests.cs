using Ashlar.Simulation;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar volume list</c>: which volumes, what of them, in which order, and how they fit the screen.</summary>
public sealed class VolumeListTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartAsync();
        foreach (var (name, size) in ((string, string)[])[("cli10", "3GiB"), ("cli2", "1GiB"), ("db-1", "2GiB")])
            await server.CallAsync("volume", "create", name, "--size", size);
        await server.CallAsync("volume", "create", "db-2", "--size", "8MiB", "--thick", "--block-size", "4096", "--limit-iops", "500");
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Theory]
    [InlineData("", "cli2 cli10 db-1 db-2")]
    [InlineData("--reverse", "db-2 db-1 cli10 cli2")]
    [InlineData("--sort size", "db-2 cli2 db-1 cli10")]
    [InlineData("--sort SIZE --reverse", "cli10 db-1 cli2 db-2")]
    [InlineData("--sort block --reverse --filter size<2GiB", "db-2 cli2")]
    [InlineData("--filter db-*", "db-1 db-2")]
    [InlineData("--filter name!=db-*", "cli2 cli10")]
    [InlineData("--filter size>=2GiB", "cli10 db-1")]
    [InlineData("--filter size<1GiB", "db-2")]
    [InlineData("--filter size=2G", "db-1")]
    [InlineData("--filter type=thick", "db-2")]
    [InlineData("--filter iops=500", "db-2")]
    [InlineData("--filter iops!=500", "cli2 cli10 db-1")]
    [InlineData("--filter use%>=100%", "db-2")]
    [InlineData("--filter created>2020-01-01 --filter size>1GiB --filter size<=2GiB", "db-1")]
    [InlineData("--filter created<2020-01-01T00:00:00Z", "")]
    public async Task Volumes_are_chosen_and_ordered(string options, string names)
    {
        var words = options.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var expected = names.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var found = Lines((await server.CallAsync(["volume", "list", "-o", "name", .. words])).Out);
        Assert.Equal(expected, found);
        var objects = (await server.CallAsync(["volume", "list", "-o", "json", .. words])).OutJson.GetProperty("items").EnumerateArray();
        Assert.Equal(found, objects.Select(item => item.GetProperty("name").GetString()!));
    }

    [Fact]
    public async Task Columns_are_chosen_and_headings_left_out()
    {
        Assert.Equal(
            "NAME   BLOCK  TYPE   IOPS\n"
            + "cli2     512  thin      -\n"
            + "cli10    512  thin      -\n"
            + "db-1     512  thin      -\n"
            + "db-2    4096  thick   500\n",
            (await server.CallAsync("volume", "list", "--columns", "name,block,type,iops")).Out);
        Assert.Equal(
            "cli2   1.00 GiB\ncli10  3.00 GiB\n",
            (await server.CallAsync("volume", "list", "--filter", "cli*", "-H", "--columns", "name,size")).Out);
    }

    [Theory]
    [InlineData("--sort colour", "--sort: 'colour' is not a column: expected name, size, ")]
    [InlineData("--columns name,colour", "--columns: 'colour' is not a column: expected name, size, ")]
    [InlineData("--filter colour=red", "--filter: 'colour' is not a column: expected name, size, ")]
    [InlineData("--filter size>big", "--filter: 'big' is not a size: ")]
    [InlineData("--filter iops>x", "--filter: 'x' is not a number")]
    [InlineData("--filter created>noon", "--filter: 'noon' is not a time: ")]
    [InlineData("--filter name>a", "--filter: 'name>a': name is compared by = and !=")]
    [InlineData("--columns name -o name", "--columns is for tables")]
    [InlineData("--interval 3s", "--interval needs --watch")]
    public async Task What_cannot_be_chosen_is_named(string options, string message)
    {
        var result = await server.CallAsync(["volume", "list", .. options.Split(' ')]);
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.StartsWith($"error: {message}", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100, "NAME SIZE USED USE% TYPE BLOCK CLIENTS CREATED")]
    [InlineData(80, "NAME SIZE USED USE% TYPE CLIENTS CREATED")]
    [InlineData(60, "NAME SIZE USED USE% TYPE CLIENTS")]
    [InlineData(40, "NAME SIZE USED")]
    [InlineData(10, "NAME")]
    public async Task On_a_narrow_terminal_the_columns_that_matter_least_are_left_out(int width, string headings)
    {
        await server.CallAsync("volume", "create", new string('x', 60), "--size", "1GiB");
        var screen = await ScreenAsync(width);
        Assert.Equal(headings, string.Join(' ', screen[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        // The one long name stands alone; the other lines fit.
        if (width is < 100 and > 10) Assert.Contains(new string('x', 60), screen);
        Assert.All(screen[..^1], line => Assert.True(line.Length <= Math.Max(width, 12) || line == new string('x', 60), line));
        Assert.Equal("5 volumes, 7.01 GiB in size, 8.00 MiB used", screen[^1]);
    }

    [Fact]
    public async Task Columns_that_were_asked_for_stay_however_narrow_the_terminal_is()
    {
        var screen = await ScreenAsync(30, "--columns", "name,nbd,created");
        Assert.Matches("^NAME +NBD +CREATED$", screen[0]);
    }

    [Theory]
    [InlineData("xterm")]
    [InlineData("dumb")]
    public async Task What_is_watched_is_written_over_and_not_wiped_out_before(string term)
    {
        var (clock, output) = (new SimulatedClock(), new SharedText());
        using var stop = new CancellationTokenSource();
        var surroundings = new Surroundings
        {
            Time = clock,
            Width = 80,
            Environment = new Dictionary<string, string> { ["TERM"] = term, ["NO_COLOR"] = "1" },
        };
        var watch = Ashlar.CommandLine.AshlarProgram.RunAsync(
            ["pool", "list", "-w", "--interval", "1s", "--columns", "name", "--data", server.Data],
            CalledProgram.Terminal(output.Writer, new SharedText().Writer, surroundings),
            stop.Token);
        await PassAsync(clock, watch, () => output.ToString().Split("main").Length > 2);
        await stop.CancelAsync();
        Assert.Equal(Ashlar.CommandLine.ExitCode.Ok, await watch);
        var once = term == "dumb" ? "NAME\nmain\n" : "\e[HNAME\e[K\nmain\e[K\n\e[J";
        Assert.StartsWith(once + once, output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_is_watched_until_it_is_stopped()
    {
        var (clock, output) = (new SimulatedClock(), new SharedText());
        using var stop = new CancellationTokenSource();
        var watch = Ashlar.CommandLine.AshlarProgram.RunAsync(
            ["volume", "list", "-w", "--interval", "1s", "--filter", "name=late", "-q", "--data", server.Data],
            CalledProgram.Terminal(output.Writer, new SharedText().Writer, new() { Time = clock }),
            stop.Token);
        await server.CallAsync("volume", "create", "late", "--size", "1GiB");
        // Each turn asks the server again; the clock of the test goes on until the volume is seen.
        await PassAsync(clock, watch, () => output.ToString().Contains('\n', StringComparison.Ordinal));
        Assert.StartsWith("late\n", output.ToString(), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(Ashlar.CommandLine.ExitCode.Ok, await watch);
    }

    // The clock goes on when the command waits for its next turn: while it waits for the server, it must not give that up.
    static async Task PassAsync(SimulatedClock clock, Task watch, Func<bool> isSeen)
    {
        for (var turn = 0; !watch.IsCompleted && !isSeen(); turn++)
        {
            Assert.True(turn < 600, "What is watched for is not shown.");
            await TestKit.Waiting.UntilAsync(
                () => watch.IsCompleted || isSeen() || clock.UntilNextTimer <= TimeSpan.FromSeconds(1), "the command waits for its turn");
            clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    async Task<string[]> ScreenAsync(int width, params string[] options) => Lines(
        (await CalledProgram.RunAsync(new Surroundings { Width = width }, ["volume", "list", "--data", server.Data, .. options])).Out);

    static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
