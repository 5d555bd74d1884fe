using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Help of a command: one line, usage, examples, commands or arguments, options.</summary>
static class Help
{
    /// <summary>Title of the commands that belong to a command.</summary>
    public const string Commands = "Commands";

    /// <summary>Title of the options that every command takes.</summary>
    public const string Everywhere = "Global options";

    public static void Write(CommandResult result, Terminal terminal)
    {
        var (writer, style, lines) = (terminal.Out, terminal.OutStyle, new CommandLines(terminal.Program));
        var width = terminal.Width ?? TextLayout.DefaultWidth;
        var command = result.Command;
        foreach (var line in TextLayout.Wrap(command.Description!, width)) writer.WriteLine(line);
        Section(writer, style, "Usage", TextLayout.Wrap(lines.OfExample(UsageLine(result)), width, indent: 6));
        Section(writer, style, "Examples", ExamplesOf(command).Select(lines.OfExample));
        foreach (var (title, rows) in Parts(result)) Columns(writer, style, width, title, rows);
    }

    /// <summary>"ashlar volume create".</summary>
    public static string FullName(CommandResult result) => string.Join(' ', NamesOf(result).Prepend(ProgramName.Installed));

    /// <summary>The commands that lead to this one, without the program.</summary>
    public static IEnumerable<string> NamesOf(CommandResult result) =>
        result.Parent is CommandResult parent ? NamesOf(parent).Append(result.Command.Name) : [];

    public static IReadOnlyList<string> ExamplesOf(Command command) =>
        command is RootCommand ? ProgramCommand.RootExamples : ((IHasExamples)command).Examples;

    /// <summary>What may follow a command, by kind; kinds of which there is none are left out.</summary>
    public static IEnumerable<(string Title, IReadOnlyList<(string Name, string Description)> Rows)> Parts(CommandResult result)
    {
        var command = result.Command;
        (string, IEnumerable<(string, string)>)[] parts =
        [
            (Commands, command.Subcommands.Where(sub => !sub.Hidden).Select(sub =>
                (string.Join(", ", sub.Aliases.Order(StringComparer.Ordinal).Prepend(sub.Name)), sub.Description!))),
            ("Arguments", command.Arguments.Where(argument => !argument.Hidden).Select(argument =>
                (argument.Name + Repeated(argument), argument.Description ?? ""))),
            ("Options", command.Options.Where(option => !option.Recursive && !option.Hidden).Select(Describe)),
            (Everywhere, OptionsOf(result).Where(option => option.Recursive && !option.Hidden).Select(Describe)),
        ];
        return parts.Select(part => (part.Item1, (IReadOnlyList<(string, string)>)[.. part.Item2])).Where(part => part.Item2.Count > 0);
    }

    /// <summary>Options that may stand after the command, those of its parents included.</summary>
    public static IEnumerable<Option> OptionsOf(CommandResult result)
    {
        IEnumerable<Option> own = result.Command.Options;
        for (var parent = result.Parent as CommandResult; parent is not null; parent = parent.Parent as CommandResult)
            own = own.Concat(parent.Command.Options.Where(option => option.Recursive));
        var use = ServerUseOf(result);
        return own.Where(option => option.Name switch
        {
            GlobalOptions.ServerName => use == ServerUse.Talks,
            GlobalOptions.DataName => use != ServerUse.None,
            _ => true,
        });
    }

    static ServerUse ServerUseOf(CommandResult result) => result switch
    {
        { Command: Noun noun } => noun.ServerUse,
        { Parent: CommandResult { Command: Noun noun } } => noun.ServerUse,
        { Command: Verb verb } => verb.ServerUse,
        _ => ServerUse.Talks,
    };

    public static string UsageLine(CommandResult result)
    {
        var command = result.Command;
        var parts = new List<string> { FullName(result) };
        if (command.Subcommands.Count > 0) parts.Add("COMMAND");
        parts.AddRange(command.Arguments.Where(argument => !argument.Hidden).Select(argument =>
            (argument.Arity.MinimumNumberOfValues > 0 ? argument.Name : $"[{argument.Name}]") + Repeated(argument)));
        parts.AddRange(command.Options.Where(option => option.Required).Select(option => $"{option.Name} {option.HelpName}"));
        parts.Add("[OPTIONS]");
        return string.Join(' ', parts);
    }

    static string Repeated(Argument argument) => argument.Arity.MaximumNumberOfValues > 1 ? "..." : "";

    static (string, string) Describe(Option option)
    {
        var names = string.Join(", ", option.Aliases
            .Where(alias => alias is ['-', not '-', ..] and not GlobalOptions.HiddenVersionAlias)
            .Append(option.Name));
        var description = option is HelpOption ? "Show this help" : option.Description ?? "";
        return (
            option.HelpName is { } value ? $"{names} {value}" : names,
            option.Required ? $"{description} (required)" : description);
    }

    static void Section(TextWriter writer, Style style, string title, IEnumerable<string> lines)
    {
        writer.WriteLine();
        writer.WriteLine(style.Bold($"{title}:"));
        foreach (var line in lines) writer.WriteLine($"  {line}");
    }

    static void Columns(
        TextWriter writer, Style style, int width, string title, IReadOnlyList<(string Name, string Description)> rows)
    {
        var names = rows.Max(row => row.Name.Length);
        Section(writer, style, title, rows.SelectMany(row =>
            TextLayout.Wrap(row.Description, width - 2, names + 2)
                .Select((line, i) => (i == 0 ? $"{row.Name.PadRight(names)}  {line}" : line).TrimEnd())));
    }
}
