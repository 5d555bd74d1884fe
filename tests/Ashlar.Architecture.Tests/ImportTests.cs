using System.Text.RegularExpressions;

namespace Ashlar.Architecture.Tests;

/// <summary>The order of imports, which the build does not look at.</summary>
public sealed partial class ImportTests
{
    [Fact]
    public void Imports_are_sorted_and_those_of_the_framework_come_first()
    {
        var files = new[] { "src", "tests", "bench", "samples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal))
            .ToArray();
        Assert.True(files.Length > 500, $"only {files.Length} files were found");
        var unsorted = files.Where(path => !IsSorted(ImportsOf(File.ReadLines(path))));
        Assert.Empty(unsorted.Select(path => Path.GetRelativePath(Repository.Root, path)));
    }

    [Theory]
    [InlineData(true, "System", "System.Text", "Ashlar.Blocks", "Ashlar.Volumes", "Xunit")]
    [InlineData(false, "Ashlar.Blocks", "System.Text")]
    [InlineData(false, "System.Text", "System")]
    [InlineData(true, "Systematic.Tools", "Xunit")]
    public void The_order_is_told_from_any_other(bool isSorted, params string[] imports) => Assert.Equal(isSorted, IsSorted(imports));

    static bool IsSorted(IReadOnlyList<string> imports) => imports.SequenceEqual(imports
        .OrderBy(name => name != "System" && !name.StartsWith("System.", StringComparison.Ordinal))
        .ThenBy(name => name, StringComparer.OrdinalIgnoreCase));

    static string[] ImportsOf(IEnumerable<string> lines) =>
        [.. lines.Select(line => Import().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value)];

    // Aliases and static imports have places of their own after these.
    [GeneratedRegex(@"^using (?<name>[\w.]+);$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Import();
}
