using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>Each of these mistakes turns the test red that is there for it, and for the right reason.</summary>
public sealed class KilledMutationTests
{
    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, TestTier.Choose(3, KilledMutations.All.Count))];

    [Fact]
    public void Every_mistake_finds_its_place_in_the_source()
    {
        foreach (var mutation in KilledMutations.All) MutatedEngine.RequirePlaces(mutation.Bug.Edits);
    }

    [Theory, MemberData(nameof(Numbers))]
    public void The_test_that_is_there_for_it_turns_red(int number)
    {
        var (bug, testClass, test, says, arguments) = KilledMutations.All[number];
        var failure = bug.RunTest(testClass, test, arguments);
        Assert.True(failure is not null, $"{bug} is not noticed.");
        Assert.True(failure.ToString().Contains(says, StringComparison.Ordinal), $"{bug} is noticed by something else: {failure}");
    }
}
