using Ashlar.Blocks.Devices;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Driver;

public sealed class DriverTotalsTests
{
    [Fact]
    public void Latencies_are_counted_exactly_at_powers_of_two()
    {
        var random = new SeededRandom(1);
        var histogram = new LatencyHistogram();
        long[] samples = [.. Enumerable.Range(0, 1000).Select(_ => random.NextInt64(1L << random.Next(4, 40))), 8191, 8192, 8193];
        foreach (var sample in samples) histogram.Record(sample);
        var totals = new DriverTotals();
        totals.Add(DriverOperation.Read, 0, 0, histogram);
        for (var exponent = LatencyHistogram.LowestExponent; exponent <= LatencyHistogram.HighestExponent; exponent++)
            Assert.Equal(samples.Count(sample => sample < 1L << exponent), totals.CountFasterThan(DriverOperation.Read, exponent));
        Assert.Equal(samples.Length, totals.Count(DriverOperation.Read));
        Assert.InRange(totals.Seconds(DriverOperation.Read), samples.Sum() * 0.875e-9, samples.Sum() * 1.125e-9);
        Assert.Equal(0, totals.Count(DriverOperation.Write));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(42)]
    public void Where_there_is_no_border_of_buckets_nothing_is_said(int exponent) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new DriverTotals().CountFasterThan(DriverOperation.Read, exponent));

    [Fact]
    public async Task What_several_drivers_have_done_is_added_up()
    {
        var device = new MemoryDevice(64);
        var (first, second, totals, sum) = (new BlockDriver(device), new BlockDriver(device), new DriverTotals(), new DriverTotals());
        await first.WriteAsync(0, new byte[4096]);
        await second.WriteAsync(0, new byte[8192]);
        await second.FlushAsync();
        await Assert.ThrowsAnyAsync<Exception>(async () => await second.ReadAsync(second.SizeBytes, new byte[1]));
        first.AddTo(totals);
        second.AddTo(totals);
        sum.Add(totals);
        sum.Add(totals);
        Assert.Equal((2, 12288), (totals.Count(DriverOperation.Write), totals.Bytes(DriverOperation.Write)));
        Assert.Equal((4, 24576), (sum.Count(DriverOperation.Write), sum.Bytes(DriverOperation.Write)));
        Assert.Equal((2, 0), (sum.Count(DriverOperation.Flush), sum.Bytes(DriverOperation.Flush)));
        Assert.Equal((0, 2), (sum.Count(DriverOperation.Read), sum.Failures(DriverOperation.Read)));
    }
}
