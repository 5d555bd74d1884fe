namespace Ashlar.Transport.Tests.Listening;

/// <summary>Whoever can connect must not be able to fill the log.</summary>
public sealed class ReportLimiterTests
{
    readonly List<string> lines = [];
    readonly ManualTime time = new();

    [Fact]
    public void A_flood_of_lines_is_cut_short_and_what_was_left_out_is_counted()
    {
        var limiter = new ReportLimiter("nbd", lines.Add, time);
        for (var i = 0; i < 25_000; i++) limiter.Report($"bad client {i}");
        Assert.Equal(ReportLimiter.Burst, lines.Count);
        Assert.Equal("bad client 0", lines[0]);
        time.FireTimer();
        Assert.Equal($"nbd: {25_000 - ReportLimiter.Burst} more lines like these were left out", lines[^1]);
        limiter.Dispose();
        Assert.Equal(ReportLimiter.Burst + 1, lines.Count);
    }

    [Fact]
    public void Lines_that_come_now_and_then_all_get_through()
    {
        using var limiter = new ReportLimiter("nbd", lines.Add, time);
        for (var i = 0; i < 1000; i++)
        {
            limiter.Report("bad client");
            time.Now += ReportLimiter.Interval;
        }
        Assert.Equal(1000, lines.Count);
    }

    [Fact]
    public void What_was_left_out_is_counted_when_the_server_stops()
    {
        using (var limiter = new ReportLimiter("nbd", lines.Add, time))
            for (var i = 0; i <= ReportLimiter.Burst; i++) limiter.Report("bad client");
        Assert.Equal("nbd: 1 more lines like these were left out", lines[^1]);
    }

    sealed class ManualTime : TimeProvider
    {
        Action? fire;

        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            fire = () => callback(state);
            return new Timer();
        }

        public void FireTimer() => fire!();

        sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
