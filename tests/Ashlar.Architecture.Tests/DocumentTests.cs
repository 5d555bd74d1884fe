using System.Text.RegularExpressions;
using Ashlar.TestKit;

namespace Ashlar.Architecture.Tests;

/// <summary>Documents that name a test name one that there is.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public void Tests_that_documents_name_exist()
    {
        var documents = Directory.EnumerateFiles(Repository.Root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal)
            .ToArray();
        var tests = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(path => TestName().Matches(File.ReadAllText(path)).Select(match => match.Value))
            .ToHashSet(StringComparer.Ordinal);
        var named = documents
            .SelectMany(path => TestName().Matches(File.ReadAllText(path)).Select(match => (path, Name: match.Value)))
            .ToArray();
        Assert.True(named.Length >= 100, $"only {named.Length} tests are named");
        var missing = named
            .Where(found => !tests.Contains(found.Name))
            .Select(found => $"{Path.GetRelativePath(Repository.Root, found.path)}: {found.Name}")
            .ToArray();
        Assert.True(missing.Length == 0, string.Join('\n', missing));
    }

    [Fact]
    public void Tests_that_documents_name_with_their_class_are_in_it()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText)
            .ToArray();
        var named = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .SelectMany(path => TestInClass().Matches(File.ReadAllText(path)).Select(match => (path, match)))
            .ToArray();
        Assert.True(named.Length >= 40, $"only {named.Length} tests are named");
        var missing = named
            .Where(found => !sources.Any(source => Declares(source, found.match.Groups["class"].Value, found.match.Groups["test"].Value)))
            .Select(found => $"{Path.GetRelativePath(Repository.Root, found.path)}: {found.match.Value}")
            .ToArray();
        Assert.True(missing.Length == 0, string.Join('\n', missing));

        static bool Declares(string source, string name, string test) =>
            source.Contains($" class {name}", StringComparison.Ordinal) && source.Contains($" {test}(", StringComparison.Ordinal);
    }

    // A sentence of at least three words, or a class.
    [GeneratedRegex(
        @"\b([A-Z][a-z0-9]*_[a-z0-9]+(_[A-Za-z0-9]+)+|[A-Z][A-Za-z]+Tests)\b", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex TestName();

    [GeneratedRegex(
        @"\b(?<class>[A-Z][A-Za-z0-9]+Tests)\.(?<test>[A-Z][A-Za-z0-9]*_\w+)", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex TestInClass();
}
