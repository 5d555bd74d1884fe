using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Driver;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Buckets_follow_one_another_without_a_gap_and_are_narrow()
    {
        for (var bucket = 0; bucket < LatencyHistogram.BucketCount; bucket++)
        {
            var low = LatencyHistogram.LowerBound(bucket);
            var high = LatencyHistogram.UpperBound(bucket);
            Assert.Equal(bucket, LatencyHistogram.BucketOf(low));
            Assert.Equal(bucket, LatencyHistogram.BucketOf(high));
            Assert.True(bucket == 0 || LatencyHistogram.UpperBound(bucket - 1) == low - 1);
            Assert.True(high - low <= low / 8);
        }
        Assert.Equal(LatencyHistogram.BucketCount - 1, LatencyHistogram.BucketOf(long.MaxValue));
        Assert.Equal(0, LatencyHistogram.BucketOf(-5));
    }

    [Fact]
    public void Percentiles_are_never_too_low_and_at_most_an_eighth_too_high()
    {
        var random = new SeededRandom(1);
        var histogram = new LatencyHistogram();
        var samples = Enumerable.Range(0, 10_000).Select(_ => 1000 + random.NextInt64(random.OneIn(50) ? 90_000_000 : 200_000)).ToArray();
        foreach (var sample in samples) histogram.Record(sample);
        Array.Sort(samples);
        var summary = histogram.Summarize();
        Assert.Equal(10_000, summary.Count);
        AssertClose(samples[4999], summary.P50);
        AssertClose(samples[8999], summary.P90);
        AssertClose(samples[9899], summary.P99);
        AssertClose(samples[9989], summary.P999);
        AssertClose(samples[9999], summary.Max);
        Assert.InRange(summary.Mean.TotalNanoseconds, samples.Average() * 0.875, samples.Average() * 1.125);

        static void AssertClose(long expected, TimeSpan found) =>
            Assert.InRange(found.TotalNanoseconds, expected, expected * 1.125 + 100);
    }

    [Fact]
    public void Nothing_recorded_is_no_latency() => Assert.Equal(default, new LatencyHistogram().Summarize());

    [Fact]
    public async Task The_driver_measures_how_long_a_request_took_retries_included()
    {
        var clock = new SimulatedClock();
        var driver = new BlockDriver(
            new Ashlar.Blocks.Devices.FaultyDevice(new Ashlar.Blocks.Devices.MemoryDevice(4), new SeededEntropy(1), clock),
            new BlockDriverOptions { TimeProvider = clock });
        ((Ashlar.Blocks.Devices.FaultyDevice)driver.Device).Add(Ashlar.Blocks.Devices.DeviceFault.Latency(TimeSpan.FromMilliseconds(3), DriverOperation.Read));
        var read = driver.ReadAsync(0, new byte[4096]).AsTask();
        clock.Advance(TimeSpan.FromMilliseconds(3));
        await read;
        Assert.InRange(driver.GetStatistics()[DriverOperation.Read].Latency.Max.TotalMilliseconds, 3, 3.375);
    }
}
