using Ashlar.Interop.Tests.Server;
using Ashlar.Interop.Tests.Tools;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Conformance;

/// <summary>libiscsi's conformance suite, all of it, over two paths to one volume.</summary>
public sealed class IscsiConformanceTests(ITestOutputHelper output)
{
    const int TestCount = 230; // iscsi-test-cu 1.19, family ALL.
    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    /// <summary>Suites whose skips are a choice, with the reason. Any other skip is a failure of this test.</summary>
    static readonly Dictionary<string, string> ChosenSkips = new(StringComparer.Ordinal)
    {
        ["ExtendedCopy"] = "third-party copy is not offered",
        ["ReceiveCopyResults"] = "third-party copy is not offered",
        ["PreventAllow"] = "the medium is not removable",
        ["StartStopUnit"] = "the medium is not removable",
        ["NoMedia"] = "the medium is not removable",
        ["Sanitize"] = "SANITIZE is not offered",
        ["WriteAtomic16"] = "atomic writes are not offered",
        ["ReadDefectData10"] = "a volume has no defect list",
        ["ReadDefectData12"] = "a volume has no defect list",
        ["ReadOnly"] = "the volume is writable",
    };

    [FactWith("iscsi-test-cu", "stdbuf")]
    public void The_conformance_suite_of_libiscsi_passes()
    {
        using var directory = new TemporaryDirectory();
        using var server = new AshlarProcess(directory["data"], "1GiB");
        server.Start();
        server.CreateVolume("vm1", "128MiB");
        var url = server.IscsiUrl("vm1");
        // Line by line, so that the output of a run that hangs ends with the test that does.
        var run = Tool.Run(Deadline, "stdbuf", "-oL", "iscsi-test-cu", "--dataloss", "--verbose", "--test=ALL", url, url);
        Assert.True(server.IsRunning, server.Log);

        var results = IscsiTestReport.Parse(run.Output);
        foreach (var group in results.GroupBy(result => result.Outcome)) output.WriteLine($"{group.Key}: {group.Count()}");
        foreach (var result in results.Where(result => result.Outcome != IscsiTestOutcome.Passed))
            output.WriteLine($"{result.Outcome} {result.Name}: {result.Details}");
        Assert.True(results.Count >= TestCount, $"{results.Count} results of {TestCount}:\n{run.Output}\n{run.Error}");
        Assert.Empty(results.Where(result => result.Outcome == IscsiTestOutcome.Failed).Select(result => $"{result.Name}: {result.Details}"));
        Assert.Empty(results.Where(result => result.Outcome == IscsiTestOutcome.Skipped && !ChosenSkips.ContainsKey(result.Name.Split('.')[0]))
            .Select(result => $"{result.Name}: {result.Details}"));
        using (var client = server.ConnectIscsi("vm1", session: 1)) client.Flush();
        server.Stop();
    }
}
