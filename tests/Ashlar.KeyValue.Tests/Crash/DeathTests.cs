using Ashlar.Simulation;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Processes that are killed at points of workloads, or right after a sync failed: the page cache stays, and shows what the disk does
/// not have. The next process recovers from it and closes, and power is lost in between or after.
/// </summary>
public sealed class DeathTests(ITestOutputHelper output)
{
    const int Workloads = 8;

    [Fact]
    public void What_is_found_after_a_death_outlives_a_power_cut_once_something_was_done_because_of_it()
    {
        var first = TestSeeds.First(nameof(What_is_found_after_a_death_outlives_a_power_cut_once_something_was_done_because_of_it));
        var (deaths, nested) = (0, 0);
        var isReplay = new CrashExplorerOptions().Replay is not null;
        Parallel.For(0, isReplay ? 1 : Workloads, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
        {
            var workload = new CrashWorkload(first + (ulong)number, operationCount: 60);
            var result = CrashExplorer.Explore(
                disk => workload.Run(disk),
                state => CrashCheck.Run(workload, state),
                new CrashExplorerOptions { Seed = first + (ulong)number, StateBudget = 0, KilledOneIn = 8, NestedBudget = 10 });
            Interlocked.Add(ref deaths, result.Deaths);
            Interlocked.Add(ref nested, result.Nested);
        });
        output.WriteLine($"seed {first}: {deaths} deaths, {nested} power cuts after them");
        Assert.True(isReplay || (deaths > 20 * Workloads && nested > deaths), $"only {deaths} deaths and {nested} power cuts");
    }
}
