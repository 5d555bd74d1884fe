using Ashlar.Simulation;

namespace Ashlar.Storage.Tests.Simulation;

public sealed class SimulatedClockTests
{
    readonly SimulatedClock clock = new();
    readonly List<string> fired = [];

    [Fact]
    public void Time_stands_still_until_it_is_advanced()
    {
        var start = clock.GetUtcNow();
        var stamp = clock.GetTimestamp();
        Assert.Equal(start, clock.GetUtcNow());
        clock.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal(start.AddSeconds(90), clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromSeconds(90), clock.GetElapsedTime(stamp));
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_times_and_see_their_time()
    {
        using var late = Timer("late", 2, Timeout.Infinite);
        using var early = Timer("early", 1, Timeout.Infinite);
        using var far = Timer("far", 5, Timeout.Infinite);
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(["early@1", "late@2"], fired);
        Assert.Equal(TimeSpan.FromSeconds(3), clock.Elapsed);
    }

    [Fact]
    public void A_periodic_timer_fires_until_it_is_disposed()
    {
        var timer = Timer("tick", 1, 2);
        clock.Advance(TimeSpan.FromSeconds(6));
        timer.Dispose();
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(["tick@1", "tick@3", "tick@5"], fired);
    }

    [Fact]
    public void A_changed_timer_forgets_its_old_time()
    {
        using var timer = Timer("moved", 1, Timeout.Infinite);
        timer.Change(TimeSpan.FromSeconds(4), Timeout.InfiniteTimeSpan);
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(["moved@4"], fired);
    }

    [Fact]
    public async Task Delays_and_deadlines_follow_it()
    {
        var delay = Task.Delay(TimeSpan.FromHours(1), clock);
        using var deadline = new CancellationTokenSource(TimeSpan.FromHours(2), clock);
        Assert.False(delay.IsCompleted);
        clock.Advance(TimeSpan.FromHours(1));
        await delay;
        Assert.False(deadline.IsCancellationRequested);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(deadline.IsCancellationRequested);
    }

    ITimer Timer(string name, int seconds, int periodSeconds) => clock.CreateTimer(
        _ => fired.Add($"{name}@{clock.Elapsed.TotalSeconds}"),
        null,
        TimeSpan.FromSeconds(seconds),
        periodSeconds == Timeout.Infinite ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(periodSeconds));
}
