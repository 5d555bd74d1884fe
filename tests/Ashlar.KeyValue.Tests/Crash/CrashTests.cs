using System.Text.Json;
using Ashlar.Simulation;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Power cuts at every point of workloads that pass through log, memtables, tables, compaction and reopening.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    const int Workloads = 84, ConcurrentWorkloads = 12;

    static int Rounds => Environment.GetEnvironmentVariable("ASHLAR_CRASH_ROUNDS") is { Length: > 0 } text ? int.Parse(text) : 1;

    [Fact]
    public void A_power_cut_at_any_moment_leaves_a_prefix_with_all_that_was_promised()
    {
        var first = TestSeeds.First(nameof(A_power_cut_at_any_moment_leaves_a_prefix_with_all_that_was_promised));
        var isReplay = new CrashExplorerOptions().Replay is not null;
        var gate = new Lock();
        long distinct = 0, nested = 0, points = 0, covered = 0, collecting = 0;
        var explorations = Enumerable.Range(0, Workloads * Rounds).Select(number => (Action)(() => Explore(first + (ulong)number)))
            .Concat(Enumerable.Range(0, ConcurrentWorkloads * Rounds).Select(number => (Action)(() => ExploreConcurrent(first + (ulong)number))));
        Parallel.ForEach(isReplay ? explorations.Take(1) : explorations, new ParallelOptions { MaxDegreeOfParallelism = 2 }, explore => explore());
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "engine crash states",
            seed = first,
            distinct,
            nested,
            boundaries = points,
            covered,
            workloadsThatMovedValues = collecting,
            failures = 0,
        }));
        if (isReplay) return; // Of one workload, at one moment.
        Assert.Equal(points, covered);
        Assert.True(collecting >= Workloads * Rounds / 8, $"only {collecting} workloads moved values");
        Assert.True(distinct >= 100_000 * Rounds, $"only {distinct} distinct disks");
        Assert.True(nested >= 20_000 * Rounds, $"only {nested} disks after a second crash");

        void Explore(ulong seed)
        {
            var workload = new CrashWorkload(seed, operationCount: 110);
            var options = new CrashExplorerOptions { Seed = seed, StateBudget = 1500, NestedOneIn = 25, NestedBudget = 10 };
            Count(CrashExplorer.Explore(disk => workload.Run(disk), state => CrashCheck.Run(workload, state), options));
            if (workload.MovedValueBytes > 0) Interlocked.Increment(ref collecting);
        }

        void ExploreConcurrent(ulong seed)
        {
            var options = new CrashExplorerOptions { Seed = seed, StateBudget = 800, NestedOneIn = 40, NestedBudget = 10 };
            Count(CrashExplorer.Explore(disk => ConcurrentCrashWorkload.Run(disk, seed), ConcurrentCrashWorkload.Check, options));
        }

        void Count(CrashExplorerResult result)
        {
            lock (gate)
            {
                // Contents of the disk, whatever had been promised by then; each workload writes a store of its own.
                distinct += result.Images;
                nested += result.Nested;
                points += result.Points;
                covered += result.CoveredPoints;
            }
        }
    }
}
