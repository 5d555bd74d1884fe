using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Power cuts at every point of workloads that pass through log, memtables, tables, compaction and reopening.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    [Theory, Seeds(count: 24)]
    public void A_power_cut_at_any_moment_leaves_a_prefix_with_all_that_was_promised(ulong seed)
    {
        var workload = new CrashWorkload(seed, operationCount: 110);
        var options = new CrashExplorerOptions { Seed = seed, StateBudget = 1500, NestedOneIn = 25, NestedBudget = 10 };
        var result = CrashExplorer.Explore(disk => workload.Run(disk), state => CrashCheck.Run(workload, state), options);
        output.WriteLine($"seed {seed}: {workload.Steps} changes, {result}");
        Assert.True(result.Distinct >= 500 || options.Replay is not null, $"only {result}");
        Assert.True(result.Nested > 100 || options.Replay is not null, $"only {result}");
    }
}
