using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Every operation on the disk fails once, or from then on, in scenarios with all that the engine has.</summary>
public sealed class ScenarioFaultTests(ITestOutputHelper output)
{
    const int Operations = 40;

    static readonly FaultRule[] Rules =
    [
        new(FaultOperations.Changes, FaultKind.InputOutputError),
        new(FaultOperations.Changes, FaultKind.InputOutputError) { IsSticky = true },
        new(FaultOperations.Changes, FaultKind.NoSpace),
        new(FaultOperations.Changes, FaultKind.NoSpace) { IsSticky = true },
        new(FaultOperations.Write, FaultKind.ShortWrite),
        new(FaultOperations.Write, FaultKind.NoSpaceHalfWay),
        new(FaultOperations.Sync, FaultKind.LostSync),
        new(FaultOperations.Sync, FaultKind.LostSync) { IsSticky = true },
        new(FaultOperations.All & ~FaultOperations.Changes, FaultKind.InputOutputError),
        new(FaultOperations.Read, FaultKind.InputOutputError) { IsSticky = true },
    ];

    [Fact]
    public void Whatever_fails_is_an_error_and_never_a_wrong_answer_and_nothing_promised_is_lost()
    {
        var first = TestSeeds.First(nameof(Whatever_fails_is_an_error_and_never_a_wrong_answer_and_nothing_promised_is_lost));
        var scenarios = TestTier.Choose(Rules.Length, 4 * Rules.Length);
        var gate = new Lock();
        var (met, failed) = (new ScenarioCounts(), new long[Rules.Length]);
        Parallel.For(0, scenarios, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
        {
            // Each kind of failure meets scenarios of its own; long values only make them slow. Half of them have keyspaces.
            var (round, kind) = Math.DivRem(number, Rules.Length);
            var with = (round + kind) % 2 == 0 ? Features.Keyspaces : Features.None;
            var options = ScenarioOptions.FromSeed(first + (ulong)number, Operations, without: Features.LongValues, with);
            var rule = Rules[kind];
            try
            {
                var (count, counts) = ScenarioFaults.Sweep(options, rule);
                lock (gate)
                {
                    met += counts;
                    failed[kind] += count;
                }
            }
            catch (FaultSweepException failure)
            {
                throw new InvalidOperationException($"{options}, {rule}: {failure.Message}", failure);
            }
        });
        Assert.All(failed, (count, rule) => Assert.True(count >= 20 * scenarios / Rules.Length, $"only {count} failures of {Rules[rule]}"));
        Assert.True(met.Refused >= failed.Sum() / 20, $"only {met}");
        Assert.True(met.UnmetConditions >= scenarios && met.DroppedKeyspaces >= scenarios && met.Conflicts >= scenarios, $"only {met}");
        Assert.True(met.Reads >= failed.Sum() && met.Failed >= failed.Sum() / 4 && met.FailedToClose > 0, $"only {met}");
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "engine faults", seed = first, scenarios, runs = failed.Sum(), failed, met, failures = 0 }));
    }
}
