using System.Text.RegularExpressions;

namespace Ashlar.Architecture.Tests;

/// <summary>
/// A broken invariant is a bug and never a failure that work gets over: in the engine, and what is built on it, no clause that would catch
/// it lets it vanish.
/// </summary>
public sealed partial class CatchTests
{
    [Theory]
    [InlineData("Ashlar.KeyValue")]
    [InlineData("Ashlar.KeyValue.Caching")]
    [InlineData("Ashlar.KeyValue.Extensions")]
    [InlineData("Ashlar.KeyValue.Sharding")]
    [InlineData("Ashlar.Storage")]
    public void No_clause_lets_a_broken_invariant_vanish(string project)
    {
        var wrong = Directory.EnumerateFiles(Path.Combine(Repository.SourceDirectory, project), "*.cs", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .SelectMany(path => Swallowed(File.ReadAllText(path)).Select(line => $"{Path.GetRelativePath(Repository.Root, path)}:{line}"))
            .ToArray();
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("catch { }", true)]
    [InlineData("catch (AshlarException) { }", true)]
    [InlineData("catch (Exception cause) when (cause is AshlarException or ObjectDisposedException) { /* the next one */ }", true)]
    [InlineData("catch (Exception cause) when (cause is not InDoubtException) { }", true)]
    [InlineData("catch (Exception cause) when (isOpen) { count++; }", true)]
    [InlineData("catch { Release(); throw; }", false)]
    [InlineData("catch (AshlarException failure) when (failure is not InvariantException) { }", false)]
    [InlineData("catch (Exception failure) when (failure is StorageException or ObjectDisposedException) { }", false)]
    [InlineData("catch (Exception failure) { return failure; }", false)]
    [InlineData("catch (StorageException) { }", false)]
    public void A_clause_is_known_for_what_it_is(string clause, bool swallows) =>
        Assert.Equal(swallows, Swallowed($"try {{ }} {clause} finally {{ }}").Any());

    // Lines of clauses that take it, do not pass it on, and neither throw.
    static IEnumerable<int> Swallowed(string source)
    {
        foreach (Match clause in Clauses().Matches(source))
        {
            var (type, name, rest) = (clause.Groups["type"].Value, clause.Groups["name"].Value, source[(clause.Index + clause.Length)..]);
            if (type is not ("" or "Exception" or "AshlarException")) continue;
            // A filter may have braces of its own.
            var filter = rest.TrimStart().StartsWith("when", StringComparison.Ordinal) ? Between(rest, '(', ')') : "";
            var body = Comments().Replace(Between(rest[(rest.IndexOf(filter, StringComparison.Ordinal) + filter.Length)..], '{', '}'), "");
            var isOther = filter.Contains("InvariantException", StringComparison.Ordinal)
                || (filter.Contains($"{name} is ", StringComparison.Ordinal)
                    && !filter.Contains($"{name} is not ", StringComparison.Ordinal)
                    && !filter.Contains("AshlarException", StringComparison.Ordinal));
            var isPassedOn = body.Contains("throw", StringComparison.OrdinalIgnoreCase)
                || (name.Length > 0 && Regex.IsMatch(body, $@"\b{name}\b", RegexOptions.None, TimeSpan.FromSeconds(10)));
            if (!isOther && !isPassedOn) yield return source.AsSpan(0, clause.Index).Count('\n') + 1;
        }
    }

    // From the first opening bracket to the one that closes it.
    static string Between(string text, char open, char close)
    {
        var (depth, start) = (0, text.IndexOf(open, StringComparison.Ordinal));
        for (var at = start; at < text.Length; at++)
        {
            if (text[at] == open) depth++;
            if (text[at] == close && --depth == 0) return text[start..at];
        }

        return text[start..];
    }

    [GeneratedRegex(@"\bcatch\b(?=\s*[({])(?:\s*\(\s*(?:[\w.]*\.)?(?<type>\w+)(?:\s+(?<name>\w+))?\s*\))?", RegexOptions.None, 10_000)]
    private static partial Regex Clauses();

    [GeneratedRegex(@"//.*|/\*.*?\*/", RegexOptions.None, 10_000)]
    private static partial Regex Comments();
}
