using Ashlar.Blocks.FileSystem;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Blocks.Tests.FileSystem;

/// <summary>
/// Power is lost at every point of random workloads, or the process dies, and every device that could come back is opened and checked, with
/// torn and unordered writes, and once more while it is recovered.
/// </summary>
public sealed class FileSystemCrashTests(ITestOutputHelper output)
{
    [Fact]
    public void A_file_system_survives_power_loss_and_the_death_of_its_process_at_any_point()
    {
        var seeds = TestSeeds.Several(nameof(FileSystemCrashTests), TestTier.Choose(4, 24));
        var states = 0;
        Parallel.ForEach(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            var workload = new FileSystemWorkload(seed, 150);
            var result = CrashExplorer.Explore(workload.Run, state => FileSystemCrashCheck.Run(state), Options(seed, 1500));
            output.WriteLine($"seed {seed}: {result}; {string.Join(", ", workload.Done.Select(pair => $"{pair.Key} {pair.Value}"))}");
            Interlocked.Add(ref states, result.States);
        });
        if (Options(0, 0).Replay is null) Assert.True(states >= TestTier.Choose(4000, 30_000), $"only {states} states");
    }

    /// <summary>Each of these is found, and none of them without a crash.</summary>
    [Theory]
    [InlineData(nameof(UnflushedUnits), 1)]
    [InlineData(nameof(UnflushedRecords), 1)]
    [InlineData(nameof(UnflushedCheckpoints), 2)]
    [InlineData(nameof(UnflushedOpening), 1)]
    [InlineData(nameof(UnclearedUnits), 1)]
    [InlineData(nameof(UnitsAtOnce), 4)]
    public void A_planted_bug_is_found(string bug, ulong seed)
    {
        CommitRules rules = bug switch
        {
            nameof(UnflushedUnits) => new UnflushedUnits(),
            nameof(UnflushedRecords) => new UnflushedRecords(),
            nameof(UnflushedCheckpoints) => new UnflushedCheckpoints(),
            nameof(UnflushedOpening) => new UnflushedOpening(),
            nameof(UnclearedUnits) => new UnclearedUnits(),
            _ => new UnitsAtOnce(),
        };
        for (var attempt = seed; ; attempt++)
        {
            var found = Record.Exception(() => CrashExplorer.Explore(
                disk => new FileSystemWorkload(attempt, 150, rules).Run(disk),
                state => FileSystemCrashCheck.Run(state, rules),
                Options(attempt, 1500) with { Replay = null }));
            output.WriteLine($"seed {attempt}: {found?.Message}");
            if (found is not null) return;
            Assert.True(attempt < seed + 8, "not found");
        }
    }

    static CrashExplorerOptions Options(ulong seed, int budget) => new()
    {
        Seed = seed,
        StateBudget = budget,
        NestedOneIn = 40,
        NestedBudget = 5,
        KilledOneIn = 10,
        RandomSubsets = 8,
    };

    sealed class UnflushedUnits : CommitRules
    {
        public override void FlushBeforeRecord(Region region)
        {
        }
    }

    sealed class UnflushedRecords : CommitRules
    {
        public override void FlushAfterRecord(Region region)
        {
        }
    }

    sealed class UnflushedCheckpoints : CommitRules
    {
        public override void FlushCheckpoint(Region region)
        {
        }
    }

    sealed class UnflushedOpening : CommitRules
    {
        public override void FlushBeforeOpening(Region region, HeaderFormat header)
        {
        }
    }

    sealed class UnclearedUnits : CommitRules
    {
        public override void Zero(Region region, long position, long lengthBytes)
        {
        }
    }

    // It is given out again before the record that says so is durable. The list is told too, and releases what is not taken any more.
    sealed class UnitsAtOnce : CommitRules
    {
        public override void GiveUp(UnitMap units, List<UnitRun> freed, UnitRun run) => units.Release(run);
    }
}
