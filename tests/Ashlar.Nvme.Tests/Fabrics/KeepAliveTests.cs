namespace Ashlar.Nvme.Tests.Fabrics;

public sealed class KeepAliveTests
{
    [Fact]
    public void Who_names_no_time_may_be_silent_for_what_is_meant_for_that_or_for_ever()
    {
        using var expired = new ManualResetEventSlim();
        using var limited = new KeepAlive(TimeProvider.System, expired.Set, TimeSpan.FromMilliseconds(20));
        limited.Set(0);
        Assert.True(expired.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal(0u, limited.Milliseconds);

        var isOver = false;
        using var free = new KeepAlive(TimeProvider.System, () => isOver = true, TimeSpan.Zero);
        free.Set(0);
        Thread.Sleep(100);
        Assert.False(isOver);
    }
}
