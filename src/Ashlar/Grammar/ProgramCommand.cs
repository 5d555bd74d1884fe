using System.CommandLine;
using System.CommandLine.Help;

namespace Ashlar.CommandLine;

/// <summary>The whole grammar of the program.</summary>
static class ProgramCommand
{
    public static IReadOnlyList<string> RootExamples { get; } =
    [
        "ashlar up",
        "ashlar volume create vm1 --size 10GiB",
        "ashlar volume list",
        "ashlar status",
    ];

    public static RootCommand Create(Terminal terminal, GlobalOptions global)
    {
        var root = new RootCommand("Block storage in one program: thin volumes over NBD and iSCSI.");
        foreach (var builtIn in root.Options.Where(option => option is VersionOption).ToArray()) root.Options.Remove(builtIn);
        root.Options.OfType<HelpOption>().Single().Aliases.Remove("/?");
        foreach (var option in global.All) root.Options.Add(option);

        root.Subcommands.Add(ServingCommands.CreateUp(terminal));
        root.Subcommands.Add(ServingCommands.CreateServe(terminal));
        root.Subcommands.Add(StatusCommand.Create());
        root.Subcommands.Add(VolumeCommands.Create(terminal));
        root.Subcommands.Add(PoolCommands.Create());
        root.Subcommands.Add(DeviceCommands.Create(terminal));
        root.Subcommands.Add(KeyValueCommands.Create(terminal));
        root.Subcommands.Add(PlanCommands.Create(terminal));
        root.Subcommands.Add(VersionCommand.Create());
        root.Subcommands.Add(CreateHelp(root, terminal));
        return root;
    }

    static Verb CreateHelp(RootCommand root, Terminal terminal)
    {
        var words = new Argument<string[]>("COMMAND") { Description = "A command, or a topic", Arity = ArgumentArity.ZeroOrMore };
        var description = "Explain a command or a topic: " + string.Join(", ", HelpTopics.All.Keys);
        return new Verb("help", description, ["ashlar help volume create", "ashlar help exit-codes"], invocation =>
        {
            var asked = invocation.Get(words);
            if (asked is [var topic] && HelpTopics.All.TryGetValue(topic, out var text))
            {
                terminal.Out.WriteLine(text);
                return ExitCode.Ok;
            }
            var parsed = root.Parse(asked);
            if (parsed.UnmatchedTokens.FirstOrDefault() is { } unknown)
            {
                var known = parsed.CommandResult.Command.Subcommands.Select(sub => sub.Name).Concat(HelpTopics.All.Keys);
                throw Usage.Error(
                    $"there is no command or topic '{unknown}'",
                    Suggestions.Nearest(unknown, known) is { } nearest ? $"did you mean {nearest}?" : "ashlar help");
            }
            Help.Write(parsed.CommandResult, terminal.Out, terminal.OutStyle);
            return ExitCode.Ok;
        })
        { words };
    }
}
