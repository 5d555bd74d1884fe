using System.Text.Json;
using Ashlar.KeyValue.Victim;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>SIGKILL at random times and before random operations on a real disk; the oracle lives in another process.</summary>
public sealed class ProcessKillTests(ITestOutputHelper output)
{
    static readonly int Lives = TestSeeds.Number("ASHLAR_ENGINE_KILLS", TestTier.Choose(140, 600));

    [Fact]
    public void Acknowledged_writes_survive_the_death_of_the_process_at_any_moment()
    {
        var seed = TestSeeds.First(nameof(ProcessKillTests));
        var lanes = Enumerable.Range(0, 2).Select(lane => new KillCycles(seed + (ulong)lane)).ToArray();
        Task.WaitAll([.. lanes.Select((lane, number) => Task.Factory.StartNew(
            () => lane.Run((Lives + number) / 2), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))]);
        int Sum(Func<KillCycles, int> of) => lanes.Sum(of);
        var before = lanes.SelectMany(lane => lane.KillsBefore).GroupBy(pair => pair.Key)
            .ToDictionary(group => group.Key.ToString(), group => group.Sum(pair => pair.Value));

        Assert.Equal(Lives, Sum(lane => lane.Lives));
        // Nine in ten; the rest closes its store, or has nothing to do at which it was to die.
        Assert.InRange(Sum(lane => lane.Kills), Lives * 3 / 4, Lives);
        Assert.All(before, each => Assert.True(each.Value >= Lives / 30, $"{each.Value} kills before {each.Key}"));
        Assert.InRange(Sum(lane => lane.KillsWhileRecovering), Lives / 20, Lives);
        Assert.InRange(lanes.Sum(lane => lane.Acknowledged), 20L * Lives, long.MaxValue);
        if (Lives >= 60) // Each kind of store was there.
        {
            Assert.InRange(Sum(lane => lane.KillsAfterMoves), 1, Lives);
            Assert.InRange(Sum(lane => lane.KillsDuringBackups), 1, Lives);
            Assert.InRange(Sum(lane => lane.BackupsJudged), 1, int.MaxValue);
        }

        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "engine process kills",
            seed,
            kills = Sum(lane => lane.Kills),
            whileRecovering = Sum(lane => lane.KillsWhileRecovering),
            orderlyCloses = Sum(lane => lane.OrderlyCloses),
            acknowledged = lanes.Sum(lane => lane.Acknowledged),
            afterMovesOfValues = Sum(lane => lane.KillsAfterMoves),
            duringBackups = Sum(lane => lane.KillsDuringBackups),
            backupsJudged = Sum(lane => lane.BackupsJudged),
            before,
            failures = 0,
        }));
    }

    [Fact]
    public void Acknowledged_writes_survive_the_death_of_a_process_that_has_the_portable_door()
    {
        var lives = TestTier.Choose(20, 200);
        var cycles = new KillCycles(TestSeeds.First(nameof(ProcessKillTests) + "portable"), isPortable: true);
        cycles.Run(lives);
        Assert.Equal(lives, cycles.Lives);
        Assert.InRange(cycles.Kills, lives / 2, lives);
        Assert.InRange(cycles.Acknowledged, 20L * lives, long.MaxValue);
    }

    [Fact]
    public void An_acknowledgement_before_the_page_cache_has_the_write_is_noticed()
    {
        var failure = Assert.Throws<LifeException>(() => new KillCycles(1, Lie.AcknowledgeEarly).Run(40));
        output.WriteLine(failure.Message);
        // What had not arrived may be the head of a log.
        Assert.Contains(
            Assert.IsType<JudgeException>(failure.InnerException).Problem,
            (JudgeProblem[])[JudgeProblem.Lost, JudgeProblem.NoPrefix, JudgeProblem.DoesNotOpen]);
    }
}
