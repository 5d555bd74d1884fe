namespace Ashlar.Blocks.Tests.Front;

/// <summary>How volumes are reached through the portals of a node.</summary>
public sealed class PathStatesTests
{
    [Fact]
    public void Every_path_is_the_best_until_somebody_says_otherwise_and_each_change_is_told_once()
    {
        var paths = new PathStates(2);
        var told = new List<(PathState, long)>();
        paths.Changed += (_, _) => told.Add((paths.Of(2), paths.ChangesOf(2))); // Who is told finds the new state.
        Assert.Equal((PathState.Optimized, PathState.Optimized, 0L), (paths.Of(1), paths.Of(2), paths.ChangesOf(2)));
        paths.Set(2, PathState.Standby);
        paths.Set(2, PathState.Standby);
        paths.Set(2, PathState.Optimized);
        Assert.Equal([(PathState.Standby, 1L), (PathState.Optimized, 2L)], told);
        Assert.Equal((PathState.Optimized, 0L), (paths.Of(1), paths.ChangesOf(1)));
    }

    [Fact]
    public void Groups_have_the_numbers_that_they_are_given_and_no_others()
    {
        var paths = new PathStates([7, 2]);
        paths.Set(7, PathState.Standby);
        Assert.Equal([7, 2], paths.Groups);
        Assert.Equal((PathState.Standby, PathState.Optimized), (paths.Of(7), paths.Of(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => paths.Of(1));
    }
}
