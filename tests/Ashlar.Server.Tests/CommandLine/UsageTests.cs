using System.CommandLine;
using Ashlar.CommandLine;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Bad command lines end with 2 and one line that names what is wrong, before anything is contacted.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("frobnicate", "'frobnicate' is not a command of ashlar")]
    [InlineData("volume", "ashlar volume needs a command: create, list, show, ")]
    [InlineData("volume crate", "'crate' is not a command of ashlar volume")]
    [InlineData("volume create", "VOLUME is missing")]
    [InlineData("volume create vm1", "--size is missing")]
    [InlineData("volume create vm1 --size", "--size needs a value")]
    [InlineData("volume create vm1 --size --thick", "--size needs a value")]
    [InlineData("volume list --columns --sort name", "--columns needs a value")]
    [InlineData("volume list --columns --sort=name", "--columns needs a value")]
    [InlineData("volume create vm1 --size 1G --size 2G", "--size is given more than once")]
    [InlineData("volume create vm1 --size 10X", "--size: '10X' is not a size: unknown unit 'X'")]
    [InlineData("volume create vm1 --size -1", "--size: '-1' is not a size: a size is not negative")]
    [InlineData("volume create vm1 --size 1,5G", "--size: '1,5G' is not a size: a fraction is written with a point, as in 1.5GiB")]
    [InlineData("volume create vm1 --size 9223372036854775808", "--size: '9223372036854775808' is not a size: too large")]
    [InlineData("volume create vm1 --size 1G --block-size 1024", "--block-size: '1024' is not supported")]
    [InlineData("volume create vm1 --sise 1G", "unknown option '--sise'")]
    [InlineData("volume create --sise 1G vm1", "unknown option '--sise'")]
    [InlineData("volume create vm1 vm2 --size 1G", "unexpected argument 'vm2'")]
    [InlineData("volume create a/b/c --size 1G", "'a/b/c' is not the path of a volume")]
    [InlineData("volume create /vm1 --size 1G", "'/vm1' is not the path of a volume")]
    [InlineData("status -o xml", "--output: 'xml' is not a format")]
    [InlineData("status --server localhost:9001", "--server: 'localhost:9001' is not the address of a server")]
    [InlineData("up --nbd-port 65536", "--nbd-port: '65536' is not a port")]
    [InlineData("up --nbd-port http", "--nbd-port: 'http' is not a port")]
    [InlineData("up --listen example.org", "--listen: 'example.org' is not an IP address")]
    [InlineData("up --listen 7", "--listen: '7' is not an IP address")]
    [InlineData("up --listen 127.1", "--listen: '127.1' is not an IP address")]
    [InlineData("up --listen 010.0.0.1", "--listen: '010.0.0.1' is not an IP address")]
    [InlineData("up --listen 0x7f.0.0.1", "--listen: '0x7f.0.0.1' is not an IP address")]
    [InlineData("up --pool-size 1MiB", "--pool-size: '1MiB' is too small for a pool")]
    [InlineData("help frobnicate", "there is no command or topic 'frobnicate'")]
    [InlineData("@file", "'@file' is not a command of ashlar")]
    public async Task A_bad_command_line_is_one_clear_line(string line, string message)
    {
        var result = await CalledProgram.RunAsync(line.Split(' '));
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.StartsWith($"error: {message}", result.Error, StringComparison.Ordinal);
        Assert.InRange(result.Error.Count(c => c == '\n'), 1, 2); // The second is a hint.
    }

    /// <remarks>As a variable of a script leaves it that was not set.</remarks>
    [Fact]
    public async Task No_argument_or_option_fails_by_being_empty()
    {
        var terminal = CalledProgram.Terminal(TextWriter.Null, TextWriter.Null);
        var verbs = Verbs(ProgramCommand.Create(terminal, new GlobalOptions(terminal)), []).ToArray();
        Assert.True(verbs.Length > 40);
        foreach (var (verb, path) in verbs)
        {
            var required = verb.Options.Where(option => option.Required).SelectMany(Empty);
            string[] line = [.. path, .. verb.Arguments.Select(_ => ""), .. required];
            await CheckAsync(line);
            foreach (var option in verb.Options.Where(option => !option.Required && option.Arity.MaximumNumberOfValues > 0))
                await CheckAsync([.. line, .. Empty(option)]);
        }

        static IEnumerable<string> Empty(Option option) => [option.Name, ""];

        // Nothing may begin by any of these lines.
        static async Task CheckAsync(string[] line)
        {
            var result = await CalledProgram.RunAsync([.. line, "--data", "/dev/null/none"]);
            Assert.DoesNotContain("unexpected:", $"{string.Join(' ', line)}: {result.Error}", StringComparison.Ordinal);
        }
    }

    static IEnumerable<(Verb Verb, string[] Path)> Verbs(Command command, string[] path) => command is Verb verb
        ? [(verb, path)]
        : command.Subcommands.SelectMany(sub => Verbs(sub, [.. path, sub.Name]));

    [Theory]
    [InlineData("volme list", "did you mean: ashlar volume list")]
    [InlineData("volume lsit", "did you mean: ashlar volume list")]
    [InlineData("sttaus", "did you mean: ashlar status")]
    [InlineData("volume create vm1 --szie 1G", "did you mean --size?")]
    public async Task A_typo_gets_a_suggestion(string line, string suggestion) =>
        Assert.EndsWith($"hint: {suggestion}\n", (await CalledProgram.RunAsync(line.Split(' '))).Error, StringComparison.Ordinal);

    [Theory]
    [InlineData("-o json frobnicate")]
    [InlineData("volume create -o json")]
    [InlineData("status -o=json --bad")]
    public async Task An_error_is_an_object_where_json_was_asked_for(string line)
    {
        var result = await CalledProgram.RunAsync(line.Split(' '));
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.Equal("urn:ashlar:problem:usage", result.ErrorJson.GetProperty("type").GetString());
        Assert.Equal(2, result.ErrorJson.GetProperty("exitCode").GetInt32());
    }

    [Fact]
    public async Task A_bad_variable_is_named()
    {
        var environment = new Dictionary<string, string> { ["ASHLAR_NBD_PORT"] = "x" };
        var result = await CalledProgram.RunAsync(environment, "", "up", "--data", "/nowhere/at/all");
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("error: ASHLAR_NBD_PORT: 'x' is not a port", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_home_the_directory_is_asked_for()
    {
        var result = await CalledProgram.RunAsync("status");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--data", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named()
    {
        var result = await CalledProgram.RunAsync("status", "--server", "http://127.0.0.1:1", "-o", "json");
        Assert.Equal((7, ""), (result.ExitCode, result.Out));
        Assert.Equal("no server answers at http://127.0.0.1:1", result.ErrorJson.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_data_directory_without_a_server_is_named()
    {
        var result = await CalledProgram.RunAsync("status", "--data", "/nowhere/at/all");
        Assert.Equal(7, result.ExitCode);
        Assert.Equal("error: no server runs on /nowhere/at/all\nhint: start one with: ashlar up --data /nowhere/at/all\n", result.Error);
    }

    [Fact]
    public async Task Output_that_nobody_reads_is_no_error()
    {
        var error = new StringWriter();
        var exitCode = await Ashlar.CommandLine.AshlarProgram.RunAsync(
            ["help", "exit-codes"], CalledProgram.Terminal(new BrokenPipe(), error), CancellationToken.None);
        Assert.Equal((0, ""), ((int)exitCode, error.ToString()));
    }

    sealed class BrokenPipe : StringWriter
    {
        public override void WriteLine(string? value) => Flush();

        public override void Flush() => throw new Ashlar.CommandLine.OutputException(isClosed: true, "Broken pipe");
    }
}
