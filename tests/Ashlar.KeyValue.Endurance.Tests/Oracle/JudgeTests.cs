using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>The oracle is shown what it must not accept, and what it must.</summary>
public sealed class JudgeTests
{
    static readonly Dictionary<(int Thread, int Index), VictimOperation> Operations = new()
    {
        [(0, 0)] = new(Durability.Sync, [new("own 0 a", "1")]),
        [(0, 1)] = new(Durability.Relaxed, [new("own 0 a", "2"), new("shared 0", "2")]),
        [(0, 2)] = new(Durability.Relaxed, [new("own 0 b", "3"), new("own 0 c", "3")]),
        [(1, 0)] = new(Durability.Relaxed, [new("own 1 a", "4")]),
        [(1, 1)] = new(Durability.Sync, [new("own 1 b", "5"), new("shared 0", "5")]),
        [(2, 0)] = new(Durability.Sync, []),
    };

    // Thread 0 writes three times, then thread 1 twice; the last of each is not acknowledged.
    static readonly ReportRecord[] Records =
    [
        new(ReportKind.Ready, 0, 0),
        new(ReportKind.Begun, 0, 0), new(ReportKind.Acknowledged, 0, 0),
        new(ReportKind.Begun, 0, 1), new(ReportKind.Acknowledged, 0, 1),
        new(ReportKind.Begun, 1, 0), new(ReportKind.Acknowledged, 1, 0),
        new(ReportKind.Begun, 0, 2), new(ReportKind.Begun, 1, 1),
    ];

    [Theory]
    [InlineData("own 0 a=2|shared 0=2|own 1 a=4")]
    [InlineData("own 0 a=2|shared 0=2|own 1 a=4|own 0 b=3|own 0 c=3")]
    [InlineData("own 0 a=2|shared 0=5|own 1 a=4|own 1 b=5")]
    public void What_was_acknowledged_is_there_after_a_kill_and_what_was_begun_may_be(string found) =>
        Accepts(found, Death.OfTheProcess);

    [Theory]
    [InlineData("own 0 a=1|own 1 a=4", JudgeProblem.Lost)]
    [InlineData("own 0 a=2|shared 0=2", JudgeProblem.Lost)]
    [InlineData("own 0 a=2|shared 0=2|own 1 a=4|own 0 b=3", JudgeProblem.NoPrefix)] // half a batch
    [InlineData("own 0 a=2|own 1 a=4", JudgeProblem.NoPrefix)] // half a batch: the key that all share is missing
    [InlineData("own 0 a=2|shared 0=2|own 1 a=4|own 1 b=5", JudgeProblem.NoPrefix)] // half a batch, and an old value
    [InlineData("own 0 a=2|shared 0=2|own 1 a=9", JudgeProblem.NoPrefix)] // never written
    [InlineData("own 0 a=2|shared 0=2|own 1 a=4|own 7 a=1", JudgeProblem.Unwritten)]
    internal void A_kill_takes_nothing_away_and_tears_nothing(string found, JudgeProblem problem) =>
        Refuses(found, Death.OfTheProcess, problem);

    [Theory]
    [InlineData("own 0 a=1")]
    [InlineData("own 0 a=2|shared 0=2")]
    [InlineData("own 0 a=2|shared 0=2|own 1 a=4")]
    public void Power_loss_may_take_the_end_of_what_was_relaxed(string found) => Accepts(found, Death.OfTheMachine);

    [Theory]
    [InlineData("", JudgeProblem.Lost)] // a durable write is gone
    [InlineData("own 0 a=1|own 1 a=4", JudgeProblem.Hole)] // what came before it is gone
    internal void Power_loss_takes_nothing_durable_and_leaves_no_hole(string found, JudgeProblem problem) =>
        Refuses(found, Death.OfTheMachine, problem);

    [Fact]
    public void A_completed_sync_and_an_orderly_close_vouch_for_all_that_was_acknowledged_before()
    {
        ReportRecord[] synced = [.. Records, new(ReportKind.Begun, 2, 0), new(ReportKind.Acknowledged, 2, 0)];
        Refuses("own 0 a=2|shared 0=2", Death.OfTheMachine, JudgeProblem.Lost, synced);
        Accepts("own 0 a=2|shared 0=2|own 1 a=4", Death.OfTheMachine, synced);
        Refuses("own 0 a=2|shared 0=2", Death.OfTheMachine, JudgeProblem.Lost, [.. Records, new(ReportKind.Closed, 0, 0)]);
    }

    [Fact]
    public void A_read_that_the_living_victim_complained_of_is_a_failure() =>
        Refuses(
            "own 0 a=2|shared 0=2|own 1 a=4", Death.OfTheProcess, JudgeProblem.WrongRead, [.. Records, new(ReportKind.WrongRead, 0, 0)]);

    [Fact]
    public void A_call_that_failed_is_a_failure_until_the_store_is_being_closed()
    {
        const string found = "own 0 a=2|shared 0=2|own 1 a=4";
        var failed = new ReportRecord(ReportKind.Failed, 2, 0);
        Refuses(found, Death.OfTheProcess, JudgeProblem.FailedCall, [.. Records, failed]);
        Refuses(found, Death.OfTheMachine, JudgeProblem.FailedCall, [.. Records, failed]);
        Accepts(found, Death.OfTheProcess, [.. Records, new(ReportKind.Closing, 0, 0), failed]);
    }

    static void Refuses(string found, Death death, JudgeProblem problem, ReportRecord[]? records = null) =>
        Assert.Equal(problem, Assert.Throws<JudgeException>(() => Accepts(found, death, records)).Problem);

    static void Accepts(string found, Death death, ReportRecord[]? records = null) =>
        new Judge(
            1,
            0,
            new Dictionary<string,
            string>(),
            new LifeHistory(records ?? Records),
            death,
            (_, _, thread, index) => Operations[(thread, index)])
            .Require(
                found.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(
                    pair => pair[0], pair => pair[1]));
}
