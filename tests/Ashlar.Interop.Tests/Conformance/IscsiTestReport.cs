using System.Text.RegularExpressions;

namespace Ashlar.Interop.Tests.Conformance;

enum IscsiTestOutcome
{
    Passed,
    Skipped,
    Failed,
}

/// <summary>One test of libiscsi's conformance suite.</summary>
/// <param name="Name">Suite.Test.</param>
/// <param name="Outcome">CUnit calls a skipped test passed; here it is skipped.</param>
/// <param name="Details">What the suite printed about it.</param>
sealed record IscsiTestResult(string Name, IscsiTestOutcome Outcome, string Details);

/// <summary>Reads what iscsi-test-cu prints in its verbose mode.</summary>
static partial class IscsiTestReport
{
    public static IReadOnlyList<IscsiTestResult> Parse(string output)
    {
        var results = new List<IscsiTestResult>();
        string suite = "", test = "";
        var details = new List<string>();
        foreach (var line in output.Split('\n'))
        {
            if (SuiteLine().Match(line) is { Success: true } suiteLine) suite = suiteLine.Groups["name"].Value;
            else if (TestLine().Match(line) is { Success: true } testLine)
            {
                test = testLine.Groups["name"].Value;
                details.Clear();
                TakeDetails(testLine.Groups["rest"].Value);
            }
            else if (test.Length > 0) TakeDetails(line);
        }
        return results;

        void TakeDetails(string text)
        {
            text = text.Trim();
            var isFailure = text.StartsWith("FAILED", StringComparison.Ordinal);
            if (!isFailure && !text.StartsWith("passed", StringComparison.Ordinal))
            {
                if (text.Length > 0) details.Add(text);
                return;
            }
            // What follows the verdict on its line is said by the cleaning up, not by the test.
            var outcome = isFailure ? IscsiTestOutcome.Failed
                : details.Any(detail => detail.Contains("[SKIPPED]", StringComparison.Ordinal)) ? IscsiTestOutcome.Skipped
                : IscsiTestOutcome.Passed;
            results.Add(new($"{suite}.{test}", outcome, string.Join(" | ", details.Distinct(StringComparer.Ordinal))));
            test = "";
        }
    }

    [GeneratedRegex("^Suite: (?<name>.+)$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex SuiteLine();

    [GeneratedRegex(@"^  Test: (?<name>\S+) \.\.\.(?<rest>.*)$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex TestLine();
}
