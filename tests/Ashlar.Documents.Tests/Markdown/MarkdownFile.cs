using System.Text.RegularExpressions;

namespace Ashlar.Documents.Tests;

/// <summary>Finds the fenced blocks of a document.</summary>
static partial class MarkdownFile
{
    public static IEnumerable<Fence> Read(string document) => Parse(document, File.ReadAllText(Path.Combine(Repository.Root, document)));

    public static IEnumerable<Fence> Parse(string document, string text)
    {
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal)) continue;
            var end = Array.FindIndex(lines, i + 1, line => line.StartsWith("```", StringComparison.Ordinal));
            if (end < 0) throw new FormatException($"{document}:{i + 1}: the block has no end");
            yield return new(document, i + 2, lines[i][3..].Trim(), string.Join('\n', lines[(i + 1)..end]) + "\n", Reason(lines, i));
            i = end;
        }
    }

    /// <summary>The reason in the comment above a fence, which may take several lines.</summary>
    static string? Reason(string[] lines, int fence)
    {
        var last = fence - 1;
        while (last >= 0 && lines[last].Length == 0) last--;
        if (last < 0 || !lines[last].EndsWith("-->", StringComparison.Ordinal)) return null;
        var first = Array.FindLastIndex(lines, last, line => line.StartsWith("<!--", StringComparison.Ordinal));
        var match = first < 0 ? null : NotRun().Match(string.Join(' ', lines[first..(last + 1)]));
        return match is { Success: true } ? match.Groups["reason"].Value : null;
    }

    [GeneratedRegex("^<!-- not run: (?<reason>.{8,}) -->$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotRun();
}
