using System.Text.RegularExpressions;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Conformance;

/// <summary>What docs/iscsi-conformance.md says about each test of the suite: the page is the expectation.</summary>
static partial class ConformancePage
{
    /// <summary>Outcomes by "Suite.Test"; null for one that is unsound, whose outcome says nothing.</summary>
    public static IReadOnlyDictionary<string, IscsiTestOutcome?> Read() => RowPattern()
        .Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "iscsi-conformance.md")))
        .ToDictionary(
            row => row.Groups["name"].Value,
            row => OutcomeOf(row.Groups["result"].Value, row.Groups["reason"].Value),
            StringComparer.Ordinal);

    static IscsiTestOutcome? OutcomeOf(string result, string reason)
    {
        if (result == "pass") return IscsiTestOutcome.Passed;
        Assert.False(string.IsNullOrWhiteSpace(reason), $"the page gives no reason for a '{result}'");
        return result switch
        {
            "skip" => IscsiTestOutcome.Skipped,
            "fail" => IscsiTestOutcome.Failed,
            "unsound" => null,
            _ => throw new InvalidDataException($"the page has the unknown result '{result}'"),
        };
    }

    [GeneratedRegex(
        @"^\| (?<name>[A-Za-z0-9]+\.\S+) \| (?<result>\w+) \|(?<reason>.*)\|$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        1000)]
    private static partial Regex RowPattern();
}
