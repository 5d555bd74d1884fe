using System.Globalization;
using Ashlar.CommandLine;
using Ashlar.Planning;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Sizes and times are read and written by several layers, each for itself: to people they are the same.</summary>
public sealed class SameQuantitiesTests
{
    [Theory]
    [InlineData("10GiB", 10L << 30)]
    [InlineData("10Gi", 10L << 30)]
    [InlineData("10G", 10L << 30)]
    [InlineData("10g", 10L << 30)]
    [InlineData("10GB", 10_000_000_000)]
    [InlineData("10 gb", 10_000_000_000)]
    [InlineData("1.5TiB", 3L << 39)]
    [InlineData("0.3KiB", 308)]
    [InlineData("0.1KB", 100)]
    [InlineData("4096", 4096)]
    [InlineData("4096 B", 4096)]
    [InlineData("7EiB", 7L << 60)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void A_size_is_read_as_the_same_number(string text, long bytes) =>
        Assert.Equal((bytes, bytes), (ByteSize.Parse(text), ByteAmount.Parse(text).Bytes));

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("GiB")]
    [InlineData("10X")]
    [InlineData("10iB")]
    [InlineData("1,5GiB")]
    [InlineData("1.5.5GiB")]
    [InlineData("8EiB")]
    [InlineData("9223372036854775808")]
    [InlineData("1e3")]
    public void What_is_no_size_is_none_anywhere(string text)
    {
        Assert.Throws<FormatException>(() => ByteSize.Parse(text));
        Assert.Throws<FormatException>(() => ByteAmount.Parse(text));
    }

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("30sec", 30_000)]
    [InlineData("5min", 300_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("1day", 86_400_000)]
    [InlineData("2 w", 1_209_600_000)]
    [InlineData("1000y", 365_000L * 86_400_000)]
    public void A_time_is_read_as_the_same_span(string text, long milliseconds) => Assert.Equal(
        (TimeSpan.FromMilliseconds(milliseconds), TimeSpan.FromMilliseconds(milliseconds)), (Duration.Parse(text), Period.Parse(text)));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData(".s")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("1001y")]
    [InlineData("1.2.3s")]
    [InlineData("5 minutes")]
    [InlineData("99999999999999999999999999999999999999s")]
    public void What_is_no_time_is_none_anywhere(string text)
    {
        Assert.Throws<FormatException>(() => Duration.Parse(text));
        Assert.Throws<FormatException>(() => Period.Parse(text));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1536)]
    [InlineData((1L << 20) - 1)]
    [InlineData(1L << 20)]
    [InlineData((1L << 20) + (1L << 19))]
    [InlineData((1L << 30) - 1)]
    [InlineData(5L << 30)]
    [InlineData(1019L << 30)]
    [InlineData(1L << 62)]
    public void A_size_is_written_as_the_same_number(long bytes)
    {
        var text = ByteSize.Format(bytes);
        Assert.Equal(text, ByteAmount.Format(bytes, UnitSystem.Binary).Replace(",", "", StringComparison.Ordinal));
        // Messages of a pool round down: what they say there is, there is.
        var (said, exact) = (Value(BinarySize.Format(bytes)), (decimal)bytes);
        Assert.InRange(said, exact - (exact / 100), exact);
        Assert.InRange(Value(text), exact - (exact / 100), exact + (exact / 100));
    }

    static decimal Value(string text)
    {
        var parts = text.Split(' ');
        var power = parts[1] is "B" or "bytes" ? 0 : "KMGTPE".IndexOf(parts[1][0], StringComparison.Ordinal) + 1;
        return decimal.Parse(parts[0], CultureInfo.InvariantCulture) * (1L << (10 * power));
    }
}
