namespace Ashlar.Documents.Tests;

/// <summary>How commands are found, and what counts as the output that was promised.</summary>
public sealed class MarkdownTests
{
    [Fact]
    public void A_block_says_by_a_comment_above_it_why_it_is_not_run()
    {
        var fences = MarkdownFile.Parse("x.md", "a\n<!-- not run: it needs a cluster -->\n```sh\nkubectl get pods\n```\n\n```sh\nls\n```\n").ToArray();
        Assert.Equal(["it needs a cluster", null], fences.Select(fence => fence.NotRun));
        Assert.Equal((4, "kubectl get pods\n", 8), (fences[0].Line, fences[0].Text, fences[1].Line));
    }

    [Theory]
    [InlineData("<!-- not run: -->")]
    [InlineData("<!-- skipped -->")]
    [InlineData("<!-- not run: it needs a cluster --> see above")]
    public void Nothing_else_keeps_a_block_from_being_run(string comment) =>
        Assert.Null(Assert.Single(MarkdownFile.Parse("x.md", $"{comment}\n```sh\nls\n```\n")).NotRun);

    [Fact]
    public void A_block_without_an_end_is_an_error() =>
        Assert.Throws<FormatException>(() => MarkdownFile.Parse("x.md", "```sh\nls\n").ToArray());

    [Fact]
    public void A_server_is_a_command_of_its_own()
    {
        var commands = Commands.Of(new("x.md", 1, "sh", "ls\n./ashlar up --data ./d   # here\ntrue\nashlar serve --help\n", null)).ToArray();
        Assert.Equal(["ls", "./ashlar up --data ./d   # here", "true\nashlar serve --help\n"], commands.Select(command => command.Text));
        Assert.Equal([false, true, false], commands.Select(command => command.IsServer));
    }

    [Fact]
    public void A_console_promises_what_stands_below_its_prompts()
    {
        var commands = Commands.Of(new("x.md", 1, "console", "$ echo a \\\n    b\na b\n$ true\n", null)).ToArray();
        Assert.Equal([("echo a \\\n    b", "a b\n"), ("true", null)], commands.Select(command => (command.Text, command.Output)));
    }

    [Theory]
    [InlineData("a\nb\n", "a\nb\n", true)]
    [InlineData("a\nb\n", "a\n", false)]
    [InlineData("a\n", "a\nb\n", false)]
    [InlineData("a\n...\n", "a\nb\nc\n", true)]
    [InlineData("a\n...\nc\n", "a\nb\nc\n", true)]
    [InlineData("a\n...\nd\n", "a\nb\nc\n", false)]
    [InlineData("a ... c\n", "a b c\n", true)]
    [InlineData("a ... c\n", "a b d\n", false)]
    [InlineData("a.c\n", "abc\n", false)]
    [InlineData("hello\n", "hello", true)]
    public void Dots_stand_for_anything(string promised, string seen, bool matches) =>
        Assert.Equal(matches, Commands.Matches(promised, seen));
}
