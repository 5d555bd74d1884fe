using System.CommandLine;
using Ashlar.CommandLine;

namespace Ashlar.Server.Tests.CommandLine;

public sealed class HelpTests
{
    static readonly Terminal Terminal = CalledProgram.Terminal(TextWriter.Null, TextWriter.Null);

    public static TheoryData<string> Commands() => [.. All(Root()).Select(command => command.Path)];

    public static TheoryData<string> Examples() =>
        [.. All(Root()).SelectMany(command => (command.Command as IHasExamples)?.Examples ?? []).Concat(ProgramCommand.RootExamples).Distinct()];

    [Theory, MemberData(nameof(Examples))]
    public void An_example_is_a_valid_command_line(string example)
    {
        string[] words = [.. example.Split(' ').Select(word => word.Trim('\''))];
        Assert.Equal("ashlar", words[0]);
        Assert.Null(UsageErrors.Find(Root().Parse(words[1..]), words[1..], new CommandLines("ashlar")));
    }

    [Theory, MemberData(nameof(Commands))]
    public async Task Help_begins_with_one_line_and_shows_usage_and_examples(string path)
    {
        var result = await CalledProgram.RunAsync([.. path.Split(' ')[1..], "--help"]);
        var lines = result.Out.Split('\n');
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(["", "Usage:"], lines[1..3]);
        Assert.StartsWith($"  {path}", lines[3], StringComparison.Ordinal);
        Assert.Contains("\nExamples:\n", result.Out, StringComparison.Ordinal);
        Assert.All(lines, line => Assert.True(line.Length <= 120, line));
    }

    [Theory, MemberData(nameof(Commands))]
    public async Task Help_by_word_and_by_option_say_the_same(string path)
    {
        var words = path.Split(' ')[1..];
        Assert.Equal(await CalledProgram.RunAsync([.. words, "--help"]), await CalledProgram.RunAsync(["help", .. words]));
    }

    [Fact]
    public async Task Without_a_word_help_is_shown() =>
        Assert.Equal(await CalledProgram.RunAsync("--help"), await CalledProgram.RunAsync());

    [Fact]
    public async Task Every_exit_code_is_documented()
    {
        var text = (await CalledProgram.RunAsync("help", "exit-codes")).Out;
        Assert.All(Enum.GetValues<ExitCode>(), code => Assert.Matches($@"(?m)^  {(int)code} +\S", text));
    }

    [Fact]
    public async Task Every_variable_that_an_option_reads_is_documented()
    {
        var text = (await CalledProgram.RunAsync("help", "environment")).Out;
        var serving = new ServingOptions(Terminal).All.Concat(new GlobalOptions(Terminal).All).Where(option => option.Name is not ("--output" or "--quiet" or "--version" or "--config"));
        Assert.All(serving, option => Assert.Contains(Setting.EnvironmentVariable(option.Name), text, StringComparison.Ordinal));
    }

    internal static RootCommand Root() => ProgramCommand.Create(Terminal, new GlobalOptions(Terminal));

    internal static IEnumerable<(Command Command, string Path)> All(Command command, string path = "ashlar") =>
        command.Subcommands.SelectMany(sub => All(sub, $"{path} {sub.Name}")).Prepend((command, path));
}
