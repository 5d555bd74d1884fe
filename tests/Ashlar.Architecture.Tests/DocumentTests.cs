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

    // A sentence of at least three words, or a class.
    [GeneratedRegex(@"\b([A-Z][a-z0-9]*_[a-z0-9]+(_[A-Za-z0-9]+)+|[A-Z][A-Za-z]+Tests)\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex TestName();
}
