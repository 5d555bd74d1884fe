using System.Text.Json;
using System.Text.RegularExpressions;
using Ashlar.Simulation;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Every fault path is really taken: each kind of operation on each kind of file that the engine calls is registered here, and fails in at
/// least one run. Who teaches the engine another one registers it, and sees it fail.
/// </summary>
public sealed partial class FaultProbeTests(ITestOutputHelper output)
{
    static readonly FaultRule[] Rules =
    [
        new(FaultOperations.Changes, FaultKind.InputOutputError),
        new(FaultOperations.All & ~FaultOperations.Changes, FaultKind.InputOutputError),
    ];

    [Fact]
    public void Every_registered_operation_is_made_to_fail_and_none_that_is_not_registered_is_called()
    {
        var probes = new FaultProbes(KindOf);
        var runs = 0;
        Parallel.ForEach(
            Rules.SelectMany(rule => ProbedScenarios.Select(scenario => (rule, scenario))),
            new ParallelOptions { MaxDegreeOfParallelism = 2 },
            pair =>
            {
                var (failed, _) = ScenarioFaults.Sweep(pair.scenario, pair.rule, probes);
                Interlocked.Add(ref runs, failed);
            });

        var list = File.ReadAllLines(ListPath).Where(line => line.Length > 0)
            .ToLookup(line => line.StartsWith(SecondFault, StringComparison.Ordinal));
        var (registered, onlyAfterAFault) = (list[false].ToArray(), list[true].Select(line => line[SecondFault.Length..]));
        var hit = probes.Met.Except(probes.NeverFailed).ToArray();
        var unknown = probes.Met.Except(registered).Except(onlyAfterAFault).ToArray();
        var missing = registered.Except(hit).ToArray();
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "fault probes (engine)",
            registered = registered.Length,
            hit = hit.Length,
            runs,
            failures = missing.Length + unknown.Length,
        }));
        Assert.True(missing.Length == 0, $"never failed:\n{string.Join('\n', missing)}");
        Assert.True(unknown.Length == 0, $"not registered:\n{string.Join('\n', unknown)}");
    }

    // What is called only where something has failed before, and here one thing fails in a run.
    const string SecondFault = "~ ";

    // Short ones, which together have all that there is. The list belongs to them, so they are always the same.
    static readonly ScenarioOptions[] ProbedScenarios =
    [
        new(7, Features.Backups | Features.Archive | Features.Readers | Features.Expiry, 30),
        new(8, Features.FullDisk | Features.Repair | Features.Queue, 30),
    ];

    // "/data/store1/log-000026" is a log of a store.
    static string KindOf(string path) => Numbers().Replace(path, "#");

    static string ListPath => Path.Combine(AppContext.BaseDirectory, "FaultProbes.txt");

    // Numbers, and the names of stores in those of files.
    [GeneratedRegex("(?<=[-.])[0-9a-f]+(?=[-./]|$)|[0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Numbers();
}
