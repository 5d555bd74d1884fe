using System.Text.RegularExpressions;
using Ashlar.TestKit;

namespace Ashlar.Documents.Tests;

/// <summary>Each example that help shows does what it says when it is typed, by somebody who has what it takes for granted.</summary>
public sealed partial class ExampleTests
{
    // Every fifteenth of them; all in the deep tier. Each takes a machine of its own, and most a server.
    public static TheoryData<string> Commands() =>
        [.. HelpPage.All.Select(page => page.Command).Where((_, number) => TestTier.Choose(number % 15 == 0, true))];

    [TheoryOnMachineCopy("bash", "script")]
    [MemberData(nameof(Commands))]
    public void Every_example_of_a_command_works_as_typed(string command)
    {
        var page = HelpPage.All.Single(page => page.Command == command);
        Assert.NotEmpty(page.Examples);
        foreach (var sitting in page.IsSession ? [page.Examples] : page.Examples.Select(example => (IReadOnlyList<string>)[example]))
        {
            using var newcomer = new Newcomer("/tmp/newcomer/work");
            if (page.TalksToServer) newcomer.Type(new($"{command} --help", "ashlar up", null));
            foreach (var example in sitting) Type(newcomer, page, example);
            newcomer.StopServer();
        }
    }

    [Fact]
    public void The_manual_page_shows_the_examples_of_help() => Assert.Equal(
        HelpPage.All.Where(page => !page.IsHidden).SelectMany(page => page.Examples),
        ManualExamples().Matches(HelpPage.Print("man"))
            .SelectMany(block => block.Groups["line"].Captures)
            .Select(line => line.Value.Replace(@"\-", "-", StringComparison.Ordinal).Replace(@"\e", @"\", StringComparison.Ordinal)));

    [Fact]
    public void Nothing_is_prepared_for_examples_that_are_gone()
    {
        var used = HelpPage.All
            .SelectMany(page => page.Examples.SelectMany(example => Circumstances.KeysOf(page, example)))
            .ToHashSet(StringComparer.Ordinal);
        Assert.DoesNotContain(Circumstances.Of.Keys, key => !used.Contains(key));
    }

    static void Type(Newcomer newcomer, HelpPage page, string example)
    {
        var circumstances = Circumstances.OfExample(page, example);
        Command As(string text) => new($"{page.Command} --help", text, null);
        newcomer.Type(As(circumstances.Before));
        if (circumstances.NotAsTyped is { } reason)
        {
            Assert.True(newcomer.WhyFails(As(example)) is not null, $"'{example}' works as typed: it need not be excused by '{reason}'");
            newcomer.Type(As(circumstances.Instead!));
            return;
        }

        newcomer.Type(As(circumstances.Typed(example)));
    }

    [GeneratedRegex(
        @"^Examples:\n\.PP\n\.nf\n(    (?<line>.+)\n)+\.fi$",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex ManualExamples();
}
