using System.Text.RegularExpressions;
using Ashlar.CommandLine;
using GrammarCommand = System.CommandLine.Command;
using RootCommand = System.CommandLine.RootCommand;

namespace Ashlar.Documents.Tests;

/// <summary>What the program says of one of its commands when it is asked for help.</summary>
/// <param name="Command">"ashlar volume create".</param>
/// <param name="IsHidden">Whether nothing but its name leads to it.</param>
/// <param name="Text">All of it.</param>
sealed partial record HelpPage(string Command, bool IsHidden, string Text)
{
    static readonly Lazy<IReadOnlyList<HelpPage>> Pages = new(() => [.. Under(Grammar(NobodyAt(TextWriter.Null)), [])]);

    /// <summary>Of every command, those included that only scripts call.</summary>
    public static IReadOnlyList<HelpPage> All => Pages.Value;

    /// <summary>Lines to type.</summary>
    public IReadOnlyList<string> Examples => [.. ExampleLines().Match(Text).Groups["line"].Captures.Select(line => line.Value)];

    /// <summary>Whether there are commands below it: its examples are then one session, and otherwise each stands for itself.</summary>
    public bool IsSession => Text.Contains("\nCommands:\n", StringComparison.Ordinal);

    /// <summary>Whether it wants a server.</summary>
    public bool TalksToServer => Text.Contains("\n  --server ", StringComparison.Ordinal);

    /// <summary>What the program prints, called within this process.</summary>
    public static string Print(params IEnumerable<string> words)
    {
        var output = new StringWriter();
        Assert.Equal(ExitCode.Ok, AshlarProgram.RunAsync([.. words], NobodyAt(output), CancellationToken.None).GetAwaiter().GetResult());
        return output.ToString();
    }

    static IEnumerable<HelpPage> Under(GrammarCommand command, IReadOnlyList<string> words) =>
        command.Subcommands.SelectMany(sub => Under(sub, [.. words, sub.Name]))
            .Prepend(new(string.Join(' ', words.Prepend(ProgramName.Installed)), command.Hidden, Print([.. words, "--help"])));

    static RootCommand Grammar(Terminal terminal) => ProgramCommand.Create(terminal, new(terminal));

    static Terminal NobodyAt(TextWriter output) =>
        new() { Out = output, Error = TextWriter.Null, In = TextReader.Null, Environment = _ => null };

    [GeneratedRegex(
        @"^Examples:\n(  (?<line>.+)\n)+", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ExampleLines();
}
