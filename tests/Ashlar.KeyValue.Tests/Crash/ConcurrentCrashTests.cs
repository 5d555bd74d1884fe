using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>Power cuts at every point of workloads of several threads.</summary>
public sealed class ConcurrentCrashTests(ITestOutputHelper output)
{
    [Fact]
    public void A_power_cut_leaves_the_beginning_of_what_each_thread_wrote_without_a_hole()
    {
        var first = TestSeeds.First(nameof(A_power_cut_leaves_the_beginning_of_what_each_thread_wrote_without_a_hole));
        var workloads = new CrashExplorerOptions().Replay is null ? TestTier.Choose(4, 12) : 1;
        var (distinct, nested) = (0L, 0L);
        Parallel.For(0, workloads, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
        {
            var seed = first + (ulong)number;
            var options = new CrashExplorerOptions { Seed = seed, StateBudget = 800, NestedOneIn = 40, NestedBudget = 10 };
            var result = CrashExplorer.Explore(disk => ConcurrentCrashWorkload.Run(disk, seed), ConcurrentCrashWorkload.Check, options);
            Interlocked.Add(ref distinct, result.Images);
            Interlocked.Add(ref nested, result.Nested);
        });
        if (new CrashExplorerOptions().Replay is null)
        {
            Assert.True(distinct >= workloads * 300L, $"only {distinct} distinct disks");
            Assert.True(nested >= workloads * 20L, $"only {nested} disks after a second crash");
        }

        output.WriteLine(JsonSerializer.Serialize(
            new { line = "engine concurrent crash states", seed = first, workloads, distinct, nested, failures = 0 }));
    }
}
