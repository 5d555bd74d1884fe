using Ashlar.CommandLine;

namespace Ashlar.Server.Tests.CommandLine;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("4096", 4096)]
    [InlineData("4096B", 4096)]
    [InlineData("1K", 1L << 10)]
    [InlineData("1Ki", 1L << 10)]
    [InlineData("1KiB", 1L << 10)]
    [InlineData("1KB", 1000)]
    [InlineData("10G", 10L << 30)]
    [InlineData("10Gi", 10L << 30)]
    [InlineData("10GiB", 10L << 30)]
    [InlineData("10gib", 10L << 30)]
    [InlineData("10 GiB", 10L << 30)]
    [InlineData("10GB", 10_000_000_000)]
    [InlineData("3T", 3L << 40)]
    [InlineData("2PB", 2_000_000_000_000_000)]
    [InlineData("7EiB", 7L << 60)]
    [InlineData("1.5TiB", 1536L << 30)]
    [InlineData("0.5K", 512)]
    [InlineData("2.25GB", 2_250_000_000)]
    [InlineData("7.999999999999999999EiB", long.MaxValue)] // A fraction more than 2^63 - 2.
    [InlineData("0.3GiB", 322_122_548)] // 322122547.2, rounded up.
    [InlineData("9223372036854775807", long.MaxValue)]
    public void A_size_is_read_as_people_mean_it(string text, long bytes) => Assert.Equal(bytes, ByteSize.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("G")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("10X")]
    [InlineData("10Gib3")]
    [InlineData("1e30")]
    [InlineData("1,5GiB")]
    [InlineData("1.GiB")]
    [InlineData(".5GiB")]
    [InlineData("1.5")]
    [InlineData("1.5B")]
    [InlineData("1.5.5GiB")]
    [InlineData("1.0000000000000000001GiB")]
    [InlineData("8.1EiB")]
    [InlineData("0x10")]
    [InlineData("9223372036854775808")]
    [InlineData("8EiB")]
    [InlineData("99999999999999999999999999999999999999999999")]
    [InlineData("18446744073709551616K")]
    public void What_is_no_size_is_refused_with_the_text_quoted(string text) =>
        Assert.StartsWith($"'{text}' is not a size: ", Assert.Throws<FormatException>(() => ByteSize.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(1536, "1.50 KiB")]
    [InlineData((1L << 20) - 1, "1.00 MiB")]
    [InlineData(10L << 30, "10.00 GiB")]
    [InlineData(long.MaxValue, "8.00 EiB")]
    public void A_size_is_shown_with_two_decimals(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
