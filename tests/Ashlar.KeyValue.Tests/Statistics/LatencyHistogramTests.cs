namespace Ashlar.KeyValue.Tests;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Quantiles_are_right_to_a_quarter()
    {
        var histogram = new LatencyHistogram();
        for (var i = 1; i <= 10_000; i++) histogram.Add(TimeSpan.FromMicroseconds(i));
        Assert.Equal(10_000, histogram.Count);
        Assert.Equal(5000.5, histogram.Mean.TotalMicroseconds, 0.5);
        Assert.InRange(histogram.Quantile(0.5).TotalMicroseconds, 5000, 5000 * 1.25);
        Assert.InRange(histogram.Quantile(0.99).TotalMicroseconds, 9900, 9900 * 1.25);
    }

    [Fact]
    public void Nothing_measured_is_zero() => Assert.Equal(TimeSpan.Zero, new LatencyHistogram().Quantile(0.99));

    [Fact]
    public void Extremes_find_a_bucket()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.Zero);
        histogram.Add(TimeSpan.FromDays(1));
        Assert.True(histogram.Quantile(1) > TimeSpan.FromMinutes(30));
    }
}
