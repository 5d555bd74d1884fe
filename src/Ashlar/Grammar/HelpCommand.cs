using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar help</c>.</summary>
static class HelpCommand
{
    public static Verb Create(RootCommand root, Terminal terminal)
    {
        var words = new Argument<string[]>("COMMAND") { Description = "A command, or a topic", Arity = ArgumentArity.ZeroOrMore };
        words.CompletionSources.Add([.. root.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name), .. HelpTopics.All.Keys]);
        var description = "Explain a command or a topic: " + string.Join(", ", HelpTopics.All.Keys);
        return new Verb(
            "help",
            description,
            ["ashlar help volume create", "ashlar help exit-codes"],
            invocation =>
            {
                var asked = invocation.Get(words);
                if (asked is [var topic] && HelpTopics.All.TryGetValue(topic, out var text))
                {
                    terminal.Out.WriteLine(text);
                    return ExitCode.Ok;
                }
                var parsed = root.Parse(asked, ProgramCommand.Parsing);
                if (parsed.UnmatchedTokens.FirstOrDefault() is { } unknown)
                    throw Unknown(invocation, unknown, parsed.CommandResult.Command);
                Help.Write(parsed.CommandResult, terminal);
                return ExitCode.Ok;
            },
            ServerUse.None)
        { words };
    }

    static CommandException Unknown(Invocation invocation, string word, Command within)
    {
        var known = within.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name).Concat(HelpTopics.All.Keys);
        return Usage.Error(
            $"there is no command or topic '{word}'",
            Suggestions.Nearest(word, known) is { } nearest ? $"did you mean {nearest}?" : invocation.CommandLines.Of("help"));
    }
}
