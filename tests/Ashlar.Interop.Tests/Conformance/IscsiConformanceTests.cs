using System.Text.Json;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Conformance;

/// <summary>libiscsi's conformance suite, all of it, over two paths to one volume.</summary>
public sealed class IscsiConformanceTests(ITestOutputHelper output)
{
    const int TestCount = 230; // iscsi-test-cu 1.19, family ALL.
    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(8);

    [Fact]
    public void The_page_names_every_test_of_the_suite_and_says_the_sums()
    {
        var page = ConformancePage.Read();
        int Count(IscsiTestOutcome? outcome) => page.Values.Count(value => value == outcome);
        Assert.Equal(TestCount, page.Count);
        Assert.Contains(
            $"**{Count(IscsiTestOutcome.Passed)} passed, {Count(IscsiTestOutcome.Skipped)} skipped, "
            + $"{Count(IscsiTestOutcome.Failed)} failed, {Count(null)} unsound.**",
            File.ReadAllText(Path.Combine(Repository.Root, "docs", "iscsi-conformance.md")),
            StringComparison.Ordinal);
    }

    [FactIfTool("iscsi-test-cu", "stdbuf")]
    public void Each_test_of_libiscsis_suite_passes_fails_or_is_skipped_as_the_page_says()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], "1GiB");
        server.Start();
        server.CreateVolume("vm1", "128MiB");
        var page = ConformancePage.Read();
        var results = RunSuite(server, "ALL").ToDictionary(result => result.Name, StringComparer.Ordinal);
        // The unsound one may take the suite's process with it: what comes after is asked for again.
        foreach (var (name, outcome) in page)
        {
            if (outcome is null || results.ContainsKey(name)) continue;
            foreach (var result in RunSuite(server, $"ALL.{name}")) results[result.Name] = result;
        }

        foreach (var result in results.Values.Where(result => result.Outcome != IscsiTestOutcome.Passed))
            output.WriteLine($"{result.Outcome} {result.Name}: {result.Details}");
        Assert.Empty(page.Keys.Except(results.Keys).Where(name => page[name] is not null).Select(name => $"{name} has no result"));
        Assert.Empty(results.Keys.Except(page.Keys).Select(name => $"{name} is not on the page"));
        Assert.Empty(results.Values
            .Where(result => page[result.Name] is { } expected && expected != result.Outcome)
            .Select(result => $"{result.Name}: the page says {page[result.Name]}, and it is {result.Outcome}: {result.Details}"));
        using (var client = server.ConnectIscsi("vm1", session: 1)) client.Flush();
        server.Stop();
        int Count(IscsiTestOutcome outcome) => page.Values.Count(value => value == outcome);
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "iscsi-test-cu",
            passed = Count(IscsiTestOutcome.Passed),
            skipped = Count(IscsiTestOutcome.Skipped),
            knownFailures = Count(IscsiTestOutcome.Failed),
            failures = 0,
        }));
    }

    static IReadOnlyList<IscsiTestResult> RunSuite(AshlarProcess server, string tests)
    {
        var url = server.IscsiUrl("vm1");
        // Line by line, so that the output of a run that hangs ends with the test that does.
        var run = ExternalTool.Run(Deadline, "stdbuf", "-oL", "iscsi-test-cu", "--dataloss", "--verbose", $"--test={tests}", url, url);
        Assert.True(server.IsRunning, server.Log);
        return IscsiTestReport.Parse(run.Output);
    }
}
