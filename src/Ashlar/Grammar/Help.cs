using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Help of a command: one line, usage, examples, commands or arguments, options.</summary>
static class Help
{
    public static void Write(CommandResult result, TextWriter writer, Style style)
    {
        var command = result.Command;
        writer.WriteLine(command.Description);
        Section(writer, style, "Usage", [UsageLine(result)]);
        if (command is IHasExamples { Examples: { Count: > 0 } examples }) Section(writer, style, "Examples", examples);
        else if (command is RootCommand) Section(writer, style, "Examples", ProgramCommand.RootExamples);

        Columns(writer, style, "Commands", command.Subcommands.Where(sub => !sub.Hidden).Select(sub =>
            (string.Join(", ", sub.Aliases.Order(StringComparer.Ordinal).Prepend(sub.Name)), sub.Description)));
        Columns(writer, style, "Arguments", command.Arguments.Select(argument => (argument.Name, argument.Description)));
        Columns(writer, style, "Options", command.Options.Where(option => !option.Recursive && !option.Hidden).Select(Describe));
        Columns(writer, style, "Everywhere", OptionsOf(result).Where(option => option.Recursive && !option.Hidden).Select(Describe));
    }

    /// <summary>"ashlar volume create".</summary>
    public static string FullName(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{FullName(parent)} {result.Command.Name}" : "ashlar";

    /// <summary>Options that may stand after the command, those of its parents included.</summary>
    public static IEnumerable<Option> OptionsOf(CommandResult result)
    {
        IEnumerable<Option> own = result.Command.Options;
        for (var parent = result.Parent as CommandResult; parent is not null; parent = parent.Parent as CommandResult)
            own = own.Concat(parent.Command.Options.Where(option => option.Recursive));
        return own;
    }

    static string UsageLine(CommandResult result)
    {
        var command = result.Command;
        var parts = new List<string> { FullName(result) };
        if (command.Subcommands.Count > 0) parts.Add("COMMAND");
        parts.AddRange(command.Arguments.Select(argument =>
            argument.Arity.MinimumNumberOfValues > 0 ? argument.Name : $"[{argument.Name}]"));
        parts.AddRange(command.Options.Where(option => option.Required).Select(option => $"{option.Name} {option.HelpName}"));
        parts.Add("[OPTIONS]");
        return string.Join(' ', parts);
    }

    static (string, string?) Describe(Option option)
    {
        var names = string.Join(", ", option.Aliases.Where(alias => alias is ['-', not '-', ..] and not "-?").Append(option.Name));
        var description = option is HelpOption ? "Show this help" : option.Description;
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

    static void Columns(TextWriter writer, Style style, string title, IEnumerable<(string Name, string? Description)> rows)
    {
        var all = rows.ToArray();
        if (all.Length == 0) return;
        var width = all.Max(row => row.Name.Length);
        Section(writer, style, title, all.Select(row => $"{row.Name.PadRight(width)}  {row.Description}".TrimEnd()));
    }
}
