using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>The manual page, made of what help says: <c>ashlar man > ashlar.1</c>. For packages, and so it is hidden.</summary>
static class ManualPage
{
    public static Verb CreateCommand(RootCommand root) => new(
        "man",
        "Print the manual page, for man(1)",
        ["ashlar man"],
        invocation =>
        {
            Write(root, invocation.Terminal.Out);
            return ExitCode.Ok;
        },
        ServerUse.None,
        isHidden: true);

    public static void Write(RootCommand root, TextWriter writer)
    {
        writer.WriteLine($".TH ASHLAR 1 \"\" \"ashlar {VersionCommand.Current}\" \"User Commands\"");
        writer.WriteLine(".ad l"); // Long words, such as lists of names, leave holes in lines that are stretched.
        writer.WriteLine(".SH NAME");
        writer.WriteLine("ashlar \\- block storage in one program");
        var top = root.Parse([], ProgramCommand.Parsing).CommandResult;
        writer.WriteLine(".SH SYNOPSIS");
        writer.WriteLine($".B {Escape(Help.UsageLine(top))}");
        writer.WriteLine(".SH DESCRIPTION");
        writer.WriteLine(Escape(root.Description!));
        WriteExamples(writer, root);
        writer.WriteLine(".SH COMMANDS");
        foreach (var sub in root.Subcommands.Where(sub => !sub.Hidden)) WriteCommand(root, [sub.Name], writer);
        writer.WriteLine(".SH OPTIONS OF EVERY COMMAND");
        foreach (var (title, rows) in Help.Parts(top))
        {
            if (title == Help.Everywhere) WriteRows(writer, rows);
        }
        foreach (var (topic, text) in HelpTopics.All)
        {
            writer.WriteLine($".SH {topic.ToUpperInvariant().Replace('-', ' ')}");
            WriteVerbatim(writer, text.TrimEnd().Split('\n'));
        }
    }

    static void WriteCommand(RootCommand root, string[] names, TextWriter writer)
    {
        var result = root.Parse(names, ProgramCommand.Parsing).CommandResult;
        writer.WriteLine($".SS {Escape(Help.UsageLine(result))}");
        writer.WriteLine(Escape(result.Command.Description!));
        foreach (var (title, rows) in Help.Parts(result))
        {
            if (title is not (Help.Everywhere or Help.Commands)) WriteRows(writer, rows);
        }
        WriteExamples(writer, result.Command);
        foreach (var sub in result.Command.Subcommands.Where(sub => !sub.Hidden)) WriteCommand(root, [.. names, sub.Name], writer);
    }

    static void WriteRows(TextWriter writer, IReadOnlyList<(string Name, string Description)> rows)
    {
        foreach (var (name, description) in rows)
        {
            writer.WriteLine(".TP");
            writer.WriteLine($".B {Escape(name)}");
            writer.WriteLine(Escape(description));
        }
    }

    static void WriteExamples(TextWriter writer, Command command)
    {
        writer.WriteLine(".PP");
        writer.WriteLine("Examples:");
        WriteVerbatim(writer, Help.ExamplesOf(command).Select(example => $"    {example}"));
    }

    static void WriteVerbatim(TextWriter writer, IEnumerable<string> lines)
    {
        writer.WriteLine(".PP");
        writer.WriteLine(".nf");
        foreach (var line in lines) writer.WriteLine(Escape(line));
        writer.WriteLine(".fi");
    }

    // A hyphen of an option is a minus, so that it can be searched for and pasted; a line does not begin a request by chance.
    static string Escape(string text)
    {
        var escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return escaped is ['.' or '\'', ..] ? $"\\&{escaped}" : escaped;
    }
}
