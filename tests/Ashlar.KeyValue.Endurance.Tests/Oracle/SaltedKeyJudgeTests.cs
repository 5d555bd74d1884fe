using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>The judge of salted keys is shown what it must not accept, and what it must.</summary>
public sealed class SaltedKeyJudgeTests
{
    const string Key = "shared 0";

    // Thread 0 writes 1 durably and then 2; meanwhile thread 1 writes 3, which nobody knows the end of.
    static readonly Dictionary<(int Thread, int Index), VictimOperation> Operations = new()
    {
        [(0, 0)] = new(Durability.Sync, [new(Key, "1")]),
        [(0, 1)] = new(Durability.Relaxed, [new(Key, "2")]),
        [(1, 0)] = new(Durability.Relaxed, [new(Key, "3")]),
    };

    static readonly ReportRecord[] Records =
    [
        new(ReportKind.Begun, 0, 0), new(ReportKind.Acknowledged, 0, 0), new(ReportKind.Begun, 1, 0),
        new(ReportKind.Begun, 0, 1), new(ReportKind.Acknowledged, 0, 1),
    ];

    [Theory, InlineData("2", Death.OfTheProcess), InlineData("3", Death.OfTheProcess), InlineData("1", Death.OfTheMachine), InlineData("2", Death.OfTheMachine)]
    internal void What_was_promised_last_or_may_have_come_later_is_accepted(string value, Death death) => Judge(value, death);

    [Theory, InlineData("1", Death.OfTheProcess), InlineData("0", Death.OfTheProcess), InlineData("0", Death.OfTheMachine), InlineData("4", Death.OfTheMachine)]
    [InlineData(null, Death.OfTheMachine)]
    internal void What_was_overwritten_or_was_never_written_is_noticed(string? value, Death death) =>
        Assert.Throws<JudgeException>(() => Judge(value, death));

    static void Judge(string? value, Death death)
    {
        var before = new Dictionary<string, string> { [Key] = "0" };
        var found = value is null ? [] : new Dictionary<string, string> { [Key] = value };
        new SaltedKeyJudge(new VictimPlan("", 1, 0), before, new LifeHistory(Records), death, (_, _, thread, index) => Operations[(thread, index)]).Require(found);
    }
}
