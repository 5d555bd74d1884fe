using System.Text.RegularExpressions;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3.Conformance;

/// <summary>What S3 promises, case by case, by a client that others have written: docs/s3-conformance.md is the expectation.</summary>
public sealed partial class S3ConformanceTests
{
    [FactIfTool("boto3")]
    public async Task Each_case_has_the_outcome_that_the_page_says()
    {
        await using var store = await S3Store.StartAsync();
        var client = new S3Client(store) { Deadline = TimeSpan.FromMinutes(9) };
        var found = Read(client.Run("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "S3/Conformance/cases.py")]).MustSucceed());
        var expected = Read(File.ReadAllText(Path.Combine(Repository.Root, "docs", "s3-conformance.md")));
        Assert.True(found.Count > 300, $"only {found.Count} cases");
        Assert.Empty(found.Except(expected).Concat(expected.Except(found)));
        Assert.Empty(store.Failures);
    }

    static HashSet<string> Read(string text) =>
    [
        .. RowPattern().Matches(text)
            .Select(static row => $"{row.Groups["name"]}: {row.Groups["outcome"]} {row.Groups["reason"]}".Trim()),
    ];

    [GeneratedRegex(
        @"^\| [^|]+ \| (?<name>test_\w+) \| (?<outcome>\w+) \| ?(?<reason>.*) \|$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        1000)]
    private static partial Regex RowPattern();
}
