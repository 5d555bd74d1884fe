namespace Ashlar.Server.Tests.Pools;

public sealed class UseHistoryTests
{
    const long Mebibyte = 1 << 20;

    readonly UseHistory history = new();

    [Fact]
    public void A_pool_that_fills_steadily_says_when_it_is_full()
    {
        for (var minute = 0; minute <= 60; minute++) Take(minute, minute * Mebibyte);
        Assert.Equal(TimeSpan.FromMinutes(30), history.UntilUsed(30 * Mebibyte));
        Assert.Equal(TimeSpan.Zero, history.UntilUsed(0));
    }

    [Fact]
    public void Ten_minutes_are_needed_and_what_does_not_grow_is_never_full()
    {
        for (var minute = 0; minute < 10; minute++) Take(minute, minute * Mebibyte);
        Assert.Null(history.UntilUsed(Mebibyte));
        Take(10, 10 * Mebibyte);
        Assert.NotNull(history.UntilUsed(Mebibyte));
        var shrinking = new UseHistory();
        for (var minute = 0; minute < 60; minute++) shrinking.Take(TimeSpan.FromMinutes(minute), -minute * Mebibyte);
        Assert.Null(shrinking.UntilUsed(Mebibyte));
        var still = new UseHistory();
        for (var minute = 0; minute < 60; minute++) still.Take(TimeSpan.FromMinutes(minute), Mebibyte);
        Assert.Null(still.UntilUsed(Mebibyte));
    }

    [Fact]
    public void One_large_step_does_not_bend_it()
    {
        for (var minute = 0; minute <= 60; minute++) Take(minute, (minute * Mebibyte) + (minute == 30 ? 1000 * Mebibyte : 0));
        var until = history.UntilUsed(30 * Mebibyte);
        Assert.InRange(until!.Value.TotalMinutes, 29, 31);
    }

    [Fact]
    public void What_is_older_than_four_hours_counts_no_longer_and_more_than_one_figure_a_minute_is_not_taken()
    {
        for (var minute = 0; minute < 600; minute++) Take(minute, 0);
        for (var minute = 600; minute < 900; minute++)
        {
            Take(minute, (minute - 600) * Mebibyte);
            history.Take(TimeSpan.FromMinutes(minute + 0.5), long.MaxValue / 2);
        }
        Assert.Equal(TimeSpan.FromMinutes(1), history.UntilUsed(Mebibyte));
        Assert.Null(history.UntilUsed(long.MaxValue)); // Farther than anybody sees.
    }

    void Take(int minute, long bytes) => history.Take(TimeSpan.FromMinutes(minute), bytes);
}
