using Ashlar.CommandLine;
using Ashlar.Planning;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>How names, times and text are ordered, read and laid out.</summary>
public sealed class LayoutTests
{
    [Theory]
    [InlineData("cli2 cli10 cli10a cli11")]
    [InlineData("a a01 a1 a2 b")]
    [InlineData("1 2 10")]
    [InlineData("a-2-b a-2-c a-10-a")]
    [InlineData("v99999999999999999999 v100000000000000000000")]
    public void Numbers_in_names_are_ordered_by_value(string ordered)
    {
        var names = ordered.Split(' ');
        Assert.Equal(names, names.Reverse().Order(NaturalOrder.Instance));
        Assert.Equal(names, names.Order(NaturalOrder.Instance));
    }

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("30m", 1_800_000)]
    [InlineData("30min", 1_800_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("2 w", 1_209_600_000)]
    [InlineData("1000y", 365_000L * 86_400_000)]
    public void A_time_is_read_as_people_mean_it(string text, long milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Duration.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("1001y")]
    [InlineData("1.2.3s")]
    [InlineData("99999999999999999999999999999999999999s")]
    [InlineData("5 minutes")]
    public void What_is_no_time_is_refused_with_the_text_quoted(string text) => Assert.StartsWith(
        $"'{text}' is not a time: ", Assert.Throws<FormatException>(() => Duration.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_moment_is_written_in_UTC_so_that_it_is_read_again()
    {
        var moment = new DateTimeOffset(2026, 11, 21, 8, 30, 0, TimeSpan.FromHours(1));
        Assert.Equal("2026-11-21T07:30:00Z", Timestamp.Format(moment));
        Assert.Equal(moment, Timestamp.Parse(Timestamp.Format(moment)));
        Assert.Equal(moment, Timestamp.Parse("2026-11-21 07:30"));
    }

    [Fact]
    public void What_the_topic_of_times_offers_every_option_takes()
    {
        var spans = HelpTopics.All["times"].Split('\n').Single(line => line.Contains("spans of time", StringComparison.Ordinal));
        foreach (var text in spans.Trim().Split("  ")[0].Split(", ")) Assert.Equal(Duration.Parse(text), Period.Parse(text));
    }

    [Fact]
    public void Text_is_broken_between_words_only() => Assert.Equal(
        ["a list of volumes", "    and", "    an-unbreakable-word-of-its-own", "    then more"],
        TextLayout.Wrap("a list of volumes and an-unbreakable-word-of-its-own then more", width: 24, indent: 4));

    [Theory]
    [InlineData("plain-1.0/x", "plain-1.0/x")]
    [InlineData("", "''")]
    [InlineData("two words", "'two words'")]
    [InlineData("it's", @"'it'\''s'")]
    [InlineData("$HOME", "'$HOME'")]
    [InlineData("~", "'~'")]
    public void A_word_is_quoted_where_a_shell_would_change_it(string word, string quoted) => Assert.Equal(quoted, ShellWord.Quote(word));

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    public async Task Help_and_facts_fit_a_narrow_terminal(int width)
    {
        await using var server = await RunningProgram.StartAsync();
        foreach (var line in (string[])["--help", "volume create --help", "volume list --help", "kv put --help", $"pool show main --data {server.Data}"])
        {
            var screen = (await CalledProgram.RunAsync(new Surroundings { Width = width }, line.Split(' '))).Out.Split('\n');
            // Lines to paste are not broken.
            Assert.All(
                screen.Where(text => !text.StartsWith("  ashlar ", StringComparison.Ordinal)),
                text => Assert.True(text.Length <= width, text));
        }
    }
}
