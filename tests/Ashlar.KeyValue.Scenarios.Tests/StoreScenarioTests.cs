using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Power cuts and deaths at every point of scenarios in which all that the engine has meets: merging, values that move, backups, archive,
/// pruning, restore, repair, shards, salted keys, queues, full disks, conditions, keyspaces, transactions.
/// </summary>
public sealed class StoreScenarioTests(ITestOutputHelper output)
{
    const int Operations = 84;

    // About three times the points of a trace, at each of which nothing survives, or everything: the rest is some of it.
    const int StatesOfScenario = 2600;

    static int Rounds => Environment.GetEnvironmentVariable("ASHLAR_CRASH_ROUNDS") is { Length: > 0 } text ? int.Parse(text) : 1;

    [Fact]
    public void Whatever_a_crash_leaves_holds_what_was_promised_as_it_was_at_one_moment()
    {
        var first = TestSeeds.First(nameof(Whatever_a_crash_leaves_holds_what_was_promised_as_it_was_at_one_moment));
        var isReplay = new CrashExplorerOptions().Replay is not null;
        var scenarios = isReplay ? 1 : Rounds * TestTier.Choose(40, 125);
        var gate = new Lock();
        var (met, distinct, nested, deaths, events, points) = (new ScenarioCounts(), 0L, 0L, 0L, 0L, 0L);
        Parallel.For(0, scenarios, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number => Explore(first + (ulong)number));
        if (!isReplay)
        {
            // Contents of the disk, whatever had been promised by then; each scenario writes a store of its own.
            Assert.True(distinct >= scenarios * StatesOfScenario * 7L / 8, $"only {distinct} distinct disks");
            Assert.True(nested >= scenarios * 250L, $"only {nested} disks after a second crash");
            Assert.True(deaths >= scenarios * 8L, $"only {deaths} deaths");
            Assert.True(met.PrunedParts >= scenarios / 4, $"only {met.PrunedParts} parts were pruned");
            Assert.True(met.Backups >= scenarios && met.DeletedBackups >= scenarios / 4, $"only {met}");
            Assert.True(met.Restored >= scenarios / 8 && met.Repaired >= scenarios / 16, $"only {met}");
            Assert.True(met.RangeDeletes >= scenarios, $"only {met}");
            Assert.True(met.MetConditions >= scenarios && met.UnmetConditions >= scenarios / 2, $"only {met}");
            Assert.True(met.OpenedKeyspaces >= scenarios / 4 && met.DroppedKeyspaces >= scenarios / 8, $"only {met}");
            Assert.True(met.KeyspaceWrites >= scenarios && met.Commits >= scenarios / 4 && met.Conflicts >= scenarios / 4, $"only {met}");
            Assert.True(met.Refused >= scenarios / 2 && met.MovedValueBytes > 0, $"only {met}");
        }

        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "engine crash states",
            seed = first,
            scenarios,
            distinct,
            nested,
            deaths,
            events,
            points,
            met,
            failures = 0,
        }));

        void Explore(ulong seed)
        {
            var options = ScenarioOptions.FromSeed(seed, Operations);
            var scenario = new StoreScenario(options);
            var disk = new SimulatedFileSystem();
            scenario.Run(disk);
            var check = new ScenarioCheck(scenario);
            CrashExplorerResult result;
            try
            {
                result = CrashExplorer.Explore(
                    disk,
                    check.Run,
                    new CrashExplorerOptions
                    {
                        Seed = seed,
                        StateBudget = StatesOfScenario,
                        NestedOneIn = 25,
                        NestedBudget = 5,
                        KilledOneIn = 60,
                    });
            }
            catch (CrashCheckException failure)
            {
                throw new InvalidOperationException($"{options}: {failure.Message}", failure);
            }

            lock (gate)
            {
                met += scenario.Counts;
                distinct += result.Images;
                nested += result.Nested;
                deaths += result.Deaths;
                events += result.Events;
                points += result.Points;
            }
        }
    }
}
