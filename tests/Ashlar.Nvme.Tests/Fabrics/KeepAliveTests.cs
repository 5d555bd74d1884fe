using Ashlar.Simulation;

namespace Ashlar.Nvme.Tests.Fabrics;

public sealed class KeepAliveTests
{
    [Fact]
    public void Who_names_no_time_may_be_silent_for_what_is_meant_for_that_or_for_ever()
    {
        var clock = new SimulatedClock();
        var (limitedIsOver, freeIsOver) = (false, false);
        using var limited = new KeepAlive(clock, () => limitedIsOver = true, TimeSpan.FromMinutes(2));
        using var free = new KeepAlive(clock, () => freeIsOver = true, TimeSpan.Zero);
        limited.Set(0);
        free.Set(0);
        clock.Advance(TimeSpan.FromSeconds(119));
        Assert.False(limitedIsOver);
        limited.Heard();
        clock.Advance(TimeSpan.FromSeconds(119));
        Assert.False(limitedIsOver);
        clock.Advance(TimeSpan.FromDays(1));
        Assert.True(limitedIsOver);
        Assert.False(freeIsOver);
        Assert.Equal(0u, limited.Milliseconds);
    }
}
