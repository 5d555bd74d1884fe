namespace Ashlar.Server.Tests.Completion;

/// <summary>What <c>ashlar __complete</c> offers to the scripts of shells.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("vol", "volume", ":none")]
    [InlineData("volume s", "show set", ":none")]
    [InlineData("volume list --col", "--columns", ":none")]
    [InlineData("volume create x --block-size ", "512 4096", ":none")]
    [InlineData("volume list -o ", "table json name", ":none")]
    [InlineData("volume list -o j", "json", ":none")]
    [InlineData("volume list --output=j", "--output=json", ":none")]
    [InlineData("volume list --output = j", "json", ":none")]
    [InlineData("volume list --output =", "table json name", ":none")]
    [InlineData("volume list --sort c", "clients created", ":none")]
    [InlineData("kv put ./store a b --durability ", "sync relaxed", ":none")]
    [InlineData("completion ", "bash zsh fish", ":none")]
    [InlineData("help exit", "exit-codes", ":none")]
    [InlineData("volume show --data ", "", ":directories")]
    [InlineData("kv scan ", "", ":directories")]
    [InlineData("kv scan ./store ", "", ":none")]
    [InlineData("kv load ./store --file ", "", ":files")]
    [InlineData("device show ", "", ":files")]
    [InlineData("volume create x --size ", "", ":none")]
    [InlineData("frobnicate ", "", ":none")]
    [InlineData("volume list -- --col", "", ":none")]
    public async Task A_word_is_completed_from_the_grammar(string line, string words, string last)
    {
        var lines = await CompleteAsync(new Surroundings(), line);
        Assert.Equal(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), lines[..^1].Select(each => each.Split('\t')[0]));
        Assert.Equal(last, lines[^1]);
    }

    [Fact]
    public async Task Commands_and_options_come_with_what_they_do()
    {
        Assert.Contains("show\tShow volumes and how to connect to them", await CompleteAsync(new Surroundings(), "volume "));
        Assert.Contains("--watch\tShow it again every --interval, until Ctrl-C", await CompleteAsync(new Surroundings(), "volume list --"));
    }

    [Fact]
    public async Task Nothing_hidden_or_foreign_is_offered_and_nothing_twice()
    {
        var top = await CompleteAsync(new Surroundings(), "");
        Assert.DoesNotContain(top, line => line.StartsWith('_') || line.StartsWith("man\t", StringComparison.Ordinal));
        var options = await CompleteAsync(new Surroundings(), "volume list --output json -");
        Assert.All(options[..^1], line => Assert.StartsWith("--", line, StringComparison.Ordinal));
        Assert.DoesNotContain(options, line => line.StartsWith("--output\t", StringComparison.Ordinal));
        Assert.DoesNotContain(
            await CompleteAsync(new Surroundings(), "plan estimate --"), line => line.StartsWith("--server", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Names_come_from_the_server_without_those_that_are_given()
    {
        await using var server = await RunningProgram.StartAsync();
        foreach (var name in (string[])["vm1", "vm2", "db"]) await server.CallAsync("volume", "create", name, "--size", "1GiB");
        var surroundings = new Surroundings { Environment = new Dictionary<string, string> { ["ASHLAR_DATA"] = server.Data } };
        Assert.Equal(["vm1", "vm2", ":none"], await CompleteAsync(surroundings, "volume show vm"));
        Assert.Equal(["db", "vm2", ":none"], await CompleteAsync(surroundings, "volume delete vm1 "));
        Assert.Equal(["vm1", "vm2", ":none"], await CompleteAsync(new Surroundings(), $"volume resize --data {server.Data} vm"));
        Assert.Equal(["main", ":none"], await CompleteAsync(surroundings, "pool show "));
        Assert.Equal([":none"], await CompleteAsync(surroundings, "volume resize vm1 "));
    }

    [Fact]
    public async Task A_server_of_which_no_name_would_do_is_asked_for_none()
    {
        await using var server = await RunningProgram.StartAsync();
        var pools = (await server.CallAsync("pool", "list", "-o", "json")).Out;
        foreach (var name in (string[])["$(touch x)", "a;b", "a\\nb", "a\\tb", "-a", "..", "a b", "\u00e4", ""])
        {
            using var hostile = new ScriptedServer();
            hostile.Answer(pools.Replace("\"main\"", $"\"{name}\"", StringComparison.Ordinal));
            Assert.Equal([":none"], await CompleteAsync(new Surroundings(), $"pool show --server {hostile.Url} "));
        }
    }

    [Theory]
    [InlineData("volume show --server nonsense ")]
    [InlineData("volume show --output nonsense ")]
    [InlineData("pool show --server http://127.0.0.1:1 --server nonsense ")]
    public async Task An_option_with_a_wrong_value_leaves_nothing_to_say(string line) =>
        Assert.Equal([":none"], await CompleteAsync(new Surroundings(), line));

    [Fact]
    public async Task A_home_directory_is_where_it_is()
    {
        await using var server = await RunningProgram.StartAsync();
        var (home, data) = (Path.GetDirectoryName(server.Data)!, Path.GetFileName(server.Data));
        var surroundings = new Surroundings { Environment = new Dictionary<string, string> { ["HOME"] = home } };
        Assert.Equal(["main", ":none"], await CompleteAsync(surroundings, $"pool show --data ~/{data} "));
    }

    [Fact]
    public async Task Where_no_server_answers_nothing_is_said()
    {
        using var silent = new ScriptedServer();
        Assert.Equal([":none"], await CompleteAsync(new Surroundings(), "volume show --data /nowhere/at/all "));
        Assert.Equal([":none"], await CompleteAsync(new Surroundings(), "volume show --server http://127.0.0.1:1 "));
        Assert.Equal([":none"], await CompleteAsync(new Surroundings(), $"volume show --server {silent.Url} "));
    }

    static async Task<string[]> CompleteAsync(Surroundings surroundings, string line)
    {
        var result = await CalledProgram.RunAsync(surroundings, ["__complete", "--", .. line.Split(' ')]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        return result.Out.TrimEnd('\n').Split('\n');
    }
}
