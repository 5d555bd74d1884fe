using System.Text.Json;
using Ashlar.KeyValue.Victim;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>SIGKILL at random times and before random operations on a real disk; the oracle lives in another process.</summary>
public sealed class ProcessKillTests(ITestOutputHelper output)
{
    [Fact]
    public void Acknowledged_writes_survive_the_death_of_the_process_at_any_moment()
    {
        var seed = Settings.Seed;
        var lanes = Enumerable.Range(0, 2).Select(lane => new KillCycles(seed + (ulong)lane)).ToArray();
        var cycles = Settings.KillCycles;
        Task.WaitAll([.. lanes.Select((lane, number) => Task.Factory.StartNew(
            () => lane.Run((cycles + number) / 2), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))]);
        var before = lanes.SelectMany(lane => lane.KillsBefore).GroupBy(pair => pair.Key)
            .ToDictionary(group => group.Key.ToString(), group => group.Sum(pair => pair.Value));
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "engine process kills",
            seed,
            kills = lanes.Sum(lane => lane.Kills),
            whileOpening = lanes.Sum(lane => lane.KillsWhileOpening),
            orderlyCloses = lanes.Sum(lane => lane.OrderlyCloses),
            acknowledged = lanes.Sum(lane => lane.Acknowledged),
            afterMovesOfValues = lanes.Sum(lane => lane.KillsAfterMoves),
            duringBackups = lanes.Sum(lane => lane.KillsDuringBackups),
            backupsJudged = lanes.Sum(lane => lane.BackupsJudged),
            before,
            failures = 0,
        }));
        Assert.Equal(cycles, lanes.Sum(lane => lane.Kills));
        if (cycles < 100) return; // A few kills need not have met everything.
        Assert.True(lanes.Sum(lane => lane.KillsAfterMoves) > 0, "values were never moved");
        Assert.True(lanes.Sum(lane => lane.KillsDuringBackups) > 0, "no backup was cut off");
        Assert.True(lanes.Sum(lane => lane.BackupsJudged) > 0, "no backup was made");
    }

    [Theory, InlineData(Lie.DropLogWrites)]
    public void An_acknowledgement_before_the_page_cache_has_the_write_is_noticed(Lie lie) =>
        Assert.Throws<InvalidOperationException>(() => new KillCycles(Settings.Seed, lie).Run(40));
}
