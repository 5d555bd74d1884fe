namespace Ashlar.KeyValue.Tests;

public sealed class SequenceShrinkerTests
{
    [Fact]
    public void Only_what_the_failure_needs_is_left()
    {
        var needed = new HashSet<int> { 17, 120, 121 };
        var shrunk = SequenceShrinker.Shrink([.. Enumerable.Range(0, 300)], positions => needed.IsSubsetOf(positions));
        Assert.Equal([17, 120, 121], shrunk);
    }

    [Fact]
    public void A_failure_that_needs_one_operation_is_shrunk_to_it() =>
        Assert.Equal([0], SequenceShrinker.Shrink([0, 1, 2, 3, 4], positions => positions[0] == 0));
}
