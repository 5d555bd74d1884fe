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

    /// <summary>Words that begin with '@' are words: no files of arguments are read.</summary>
    public static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    public static RootCommand Create(Terminal terminal, GlobalOptions global)
    {
        var root = new RootCommand("Storage in one program: thin volumes over NBD, iSCSI and NVMe, files over HTTP.");
        foreach (var builtIn in root.Options.Where(option => option is VersionOption).ToArray()) root.Options.Remove(builtIn);
        root.Directives.Clear();
        var help = root.Options.OfType<HelpOption>().Single();
        foreach (var alias in help.Aliases.Where(alias => alias != "-h").ToArray()) help.Aliases.Remove(alias);
        foreach (var option in global.All) root.Options.Add(option);

        root.Subcommands.Add(ServingCommands.CreateUp(terminal));
        root.Subcommands.Add(ServingCommands.CreateServe(terminal));
        root.Subcommands.Add(StatusCommand.Create(terminal));
        root.Subcommands.Add(VolumeCommands.Create(terminal));
        root.Subcommands.Add(SnapshotCommands.Create(terminal));
        root.Subcommands.Add(ExportCommands.Create(terminal));
        root.Subcommands.Add(SessionCommands.Create(terminal));
        root.Subcommands.Add(PortalCommands.Create(terminal));
        root.Subcommands.Add(PoolCommands.Create(terminal));
        root.Subcommands.Add(FileCommands.Create(terminal));
        root.Subcommands.Add(CustomerCommands.Create(terminal));
        root.Subcommands.Add(UserCommands.Create(terminal));
        root.Subcommands.Add(KeyCommands.Create(terminal));
        root.Subcommands.Add(NodeCommands.Create(terminal));
        root.Subcommands.Add(CatalogueCommands.Create());
        root.Subcommands.Add(TaskCommands.Create(terminal));
        root.Subcommands.Add(DeviceCommands.Create(terminal));
        root.Subcommands.Add(KeyValueCommands.Create(terminal));
        root.Subcommands.Add(PlanCommands.Create(terminal));
        root.Subcommands.Add(CompletionCommands.CreateScript());
        root.Subcommands.Add(CompletionCommands.CreateComplete(root, global));
        root.Subcommands.Add(ManualPage.CreateCommand(root));
        root.Subcommands.Add(VersionCommand.Create());
        root.Subcommands.Add(HelpCommand.Create(root, terminal));
        return root;
    }
}
