using System.Text.RegularExpressions;

namespace Ashlar.Documents.Tests;

/// <summary>What to type, and what a document promises to see then; null where it promises nothing.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Text">One command, or several of one block of which nothing is promised but that they succeed.</param>
/// <param name="Output">In which "..." stands for anything: at the end of a line for its rest, alone for any lines.</param>
sealed record Command(string Place, string Text, string? Output)
{
    /// <summary>Whether it starts a server, and so ends only when it is stopped.</summary>
    public bool IsServer => Commands.Server().IsMatch(Text);
}

/// <summary>Takes commands from blocks.</summary>
static partial class Commands
{
    public static IEnumerable<Command> Of(Fence fence) => fence.Language == "console" ? OfConsole(fence) : OfShell(fence);

    /// <summary>Whether what was seen is what was promised.</summary>
    public static bool Matches(string promised, string seen)
    {
        var pattern = string.Concat(promised.TrimEnd('\n').Split('\n').Select(line => line.Trim() == "..."
            ? "(.*\n)*"
            : $"{Regex.Escape(line.TrimEnd()).Replace(@"\.\.\.", ".*", StringComparison.Ordinal)} *\n"));
        return Regex.IsMatch(seen.EndsWith('\n') ? seen : seen + '\n', $"^{pattern}$", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10));
    }

    // "$ COMMAND", lines that go on with a backslash, then what is printed.
    static IEnumerable<Command> OfConsole(Fence fence)
    {
        foreach (Match match in Prompt().Matches(fence.Text))
            yield return new(fence.ToString(), match.Groups["command"].Value, match.Groups["output"].Value is { Length: > 0 } output ? output : null);
    }

    // A server is a command of its own; what stands between servers is run as one script.
    static IEnumerable<Command> OfShell(Fence fence)
    {
        var script = new List<string>();
        foreach (var line in fence.Text.Split('\n'))
        {
            if (!Server().IsMatch(line))
            {
                script.Add(line);
                continue;
            }

            if (script.Exists(IsCommand)) yield return new(fence.ToString(), string.Join('\n', script), null);
            script.Clear();
            yield return new(fence.ToString(), line, null);
        }

        if (script.Exists(IsCommand)) yield return new(fence.ToString(), string.Join('\n', script), null);
    }

    static bool IsCommand(string line) => line.Trim() is { Length: > 0 } text && !text.StartsWith('#');

    [GeneratedRegex(@"^(\./)?ashlar (up|serve)\b(?!.*--help)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    internal static partial Regex Server();

    [GeneratedRegex(@"^\$ (?<command>(.*\\\n)*.*)\n(?<output>((?!\$ ).*\n)*)", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Prompt();
}
