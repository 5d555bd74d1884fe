using Ashlar.Simulation;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>Writers and background as two rates on a simulated clock: how they meet.</summary>
public sealed class WriteThrottleTests(ITestOutputHelper output)
{
    const long MemTableBytes = 32 << 20;
    const int WriteBytes = 4096;
    readonly SimulatedClock clock = new();

    WriteThrottle NewThrottle() => new(new KeyValueOptions { TimeProvider = clock, MemTableBytes = MemTableBytes });

    [Fact]
    public void Without_debt_nobody_waits()
    {
        var throttle = NewThrottle();
        for (var i = 0; i < 1000; i++) Assert.Equal(TimeSpan.Zero, throttle.Charge(1 << 20, 0));
        Assert.Equal(TimeSpan.Zero, throttle.DelayPerMebibyte);
    }

    [Fact]
    public void The_delay_grows_with_debt_without_a_jump_and_only_the_stop_is_for_ever()
    {
        var last = 0.0;
        for (var share = 0.0; share < 1; share += 0.001)
        {
            var delay = WriteDebt.SecondsPerByte(share, 100e6);
            Assert.True(delay >= last);
            if (share > 0.05) Assert.True(delay < last * 1.6 || share > 0.99, $"from {last} to {delay} at {share}");
            last = delay;
        }

        Assert.Equal(0, WriteDebt.SecondsPerByte(-3, 100e6));
        Assert.Equal(1 / 100e6, WriteDebt.SecondsPerByte(0.5, 100e6), 12);
        Assert.True(double.IsFinite(WriteDebt.SecondsPerByte(7, 100e6)));
    }

    [Theory]
    [InlineData(100)] // MB/s that memtables become tables at.
    [InlineData(30)]
    [InlineData(5)]
    public void A_writer_meets_the_speed_of_flushes_and_is_never_stopped(int flushMegabytes)
    {
        var result = Simulate(flushBytesPerSecond: flushMegabytes * 1e6, mergeBytesPerSecond: 1e12, seconds: 120);
        Assert.Equal(0, result.Stops);
        Assert.InRange(result.BytesPerSecond / (flushMegabytes * 1e6), 0.8, 1.3);
        Assert.True(result.LongestWait < TimeSpan.FromMilliseconds(50), $"{result.LongestWait}");
    }

    [Theory]
    [InlineData(60)]
    [InlineData(20)]
    [InlineData(4)]
    public void A_writer_meets_the_speed_of_merges_and_is_never_stopped(int mergeMegabytes)
    {
        var result = Simulate(flushBytesPerSecond: 300e6, mergeBytesPerSecond: mergeMegabytes * 1e6, seconds: 600);
        Assert.Equal(0, result.Stops);
        Assert.InRange(result.LastBytesPerSecond / (mergeMegabytes * 1e6), 0.7, 1.4);
        Assert.True(result.LongestWait < TimeSpan.FromMilliseconds(100), $"{result.LongestWait}");
    }

    [Fact]
    public void A_writer_that_is_slower_than_the_background_never_waits()
    {
        var result = Simulate(flushBytesPerSecond: 200e6, mergeBytesPerSecond: 100e6, seconds: 120, writerBytesPerSecond: 50e6);
        Assert.Equal((0, TimeSpan.Zero), (result.Stops, result.LongestWait));
    }

    [Fact]
    public void The_time_to_a_stall_is_known_before_it_comes()
    {
        var throttle = NewThrottle();
        Assert.Null(throttle.TimeToStall());
        throttle.Flushing.Begin(10_000_000);
        clock.Advance(TimeSpan.FromSeconds(1));
        throttle.Flushing.End(isDone: true);
        throttle.Debt = new WriteDebt(1, -1, -1, MemTableBytes);
        for (var i = 0; i < 100; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(50)); // 20 MB/s come, 10 MB/s go.
            throttle.Charge(1_000_000, 0);
        }

        // Two memtables are left to fill, at 10 MB/s more than goes.
        Assert.InRange(throttle.TimeToStall()!.Value.TotalSeconds, 5, 8);
    }

    /// <summary>
    /// A writer that never rests, one flush and one merge at a time, each at its speed; a merge takes what level 0 holds.
    /// </summary>
    Outcome Simulate(double flushBytesPerSecond, double mergeBytesPerSecond, int seconds, double writerBytesPerSecond = 400e6)
    {
        const int Trigger = 4;
        var throttle = NewThrottle();
        var (active, waiting, levelZero, merging) = (0L, 0, 0, 0);
        var (flushLeft, mergeLeft) = (0.0, 0.0);
        var result = new Outcome();
        var isFlushing = false;
        var lastVisit = clock.Elapsed;
        while (clock.Elapsed < TimeSpan.FromSeconds(seconds))
        {
            if (active >= MemTableBytes)
            {
                while (waiting >= WriteDebt.MaxMemTables) Stop();
                active = 0;
                waiting++;
            }

            while (throttle.Debt.LevelZero >= 1) Stop();
            var waited = TimeSpan.Zero;
            for (var wait = throttle.Charge(WriteBytes, active); wait > TimeSpan.Zero; wait = throttle.Charge(0, active))
            {
                clock.Advance(wait);
                waited += wait;
                Work();
            }

            if (waited > result.LongestWait) result.LongestWait = waited;
            clock.Advance(TimeSpan.FromSeconds(WriteBytes / writerBytesPerSecond));
            active += WriteBytes;
            result.Bytes += WriteBytes;
            if (clock.Elapsed > TimeSpan.FromSeconds(seconds / 2.0)) result.LastBytes += WriteBytes;
            Work();
        }

        result.Seconds = seconds;
        output.WriteLine($"{result.BytesPerSecond / 1e6:f1} MB/s, second half {result.LastBytesPerSecond / 1e6:f1}, longest wait {result.LongestWait.TotalMilliseconds:f1} ms, stops {result.Stops}");
        return result;

        void Stop()
        {
            result.Stops++;
            clock.Advance(TimeSpan.FromMilliseconds(1));
            Work();
        }

        void Work()
        {
            var time = (clock.Elapsed - lastVisit).TotalSeconds;
            lastVisit = clock.Elapsed;
            flushLeft -= time * flushBytesPerSecond;
            if (isFlushing && flushLeft <= 0)
            {
                isFlushing = false;
                waiting--;
                levelZero++;
                throttle.Flushing.End(isDone: true);
            }

            if (waiting > 0 && !isFlushing)
            {
                (isFlushing, flushLeft) = (true, MemTableBytes);
                throttle.Flushing.Begin(MemTableBytes);
            }

            mergeLeft -= time * mergeBytesPerSecond;
            if (merging == 0 && levelZero >= Trigger)
            {
                (merging, mergeLeft) = (levelZero, levelZero * (double)MemTableBytes);
                throttle.Merging.Begin(merging * MemTableBytes);
            }

            if (merging > 0 && mergeLeft <= 0)
            {
                throttle.Merging.End(isDone: true);
                levelZero -= merging;
                merging = 0;
            }

            var slow = WriteDebt.SlowLevelZero * Trigger;
            throttle.Debt = new WriteDebt(
                waiting, (double)(levelZero - slow) / ((WriteDebt.MaxLevelZero - WriteDebt.SlowLevelZero) * Trigger), -1, levelZero);
        }
    }

    sealed class Outcome
    {
        public long Bytes { get; set; }

        public long LastBytes { get; set; }

        public double Seconds { get; set; }

        public int Stops { get; set; }

        public TimeSpan LongestWait { get; set; }

        public double BytesPerSecond => Bytes / Seconds;

        public double LastBytesPerSecond => LastBytes / (Seconds / 2);
    }
}
