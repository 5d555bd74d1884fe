namespace Ashlar.Volumes.Tests;

public sealed class BinarySizeTests
{
    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1024, "1 KiB")]
    [InlineData(5L << 30, "5 GiB")]
    [InlineData(1536L << 30, "1.50 TiB")]
    [InlineData((5L << 30) - 1, "4.99 GiB")] // Never more than there is.
    [InlineData(long.MaxValue, "7.99 EiB")]
    public void A_size_is_told_in_the_largest_unit_that_fits_and_rounded_down(long bytes, string text) =>
        Assert.Equal(text, BinarySize.Format(bytes));

    [Fact]
    public void What_was_rounded_is_told_to_the_byte_where_it_matters()
    {
        Assert.Equal("4.99 GiB (5368578048 bytes)", BinarySize.FormatExact(5_368_578_048));
        Assert.Equal("5 GiB", BinarySize.FormatExact(5L << 30));
    }
}
