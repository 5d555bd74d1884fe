using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Planning.Tests;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("250B", 250)]
    [InlineData("4096", 4096)]
    [InlineData("1KiB", 1024)]
    [InlineData("2 MiB", 2_097_152)]
    [InlineData("10G", 10_737_418_240)]
    [InlineData("10GB", 10_000_000_000)]
    [InlineData("1.5KB", 1500)]
    [InlineData("1.3KiB", 1332)] // 1331.2, rounded up.
    [InlineData("100TB", 100_000_000_000_000)]
    [InlineData("200PB", 200_000_000_000_000_000)]
    [InlineData("7EiB", 8_070_450_532_247_928_832)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Sizes_are_read(string text, long bytes) => Assert.Equal(bytes, ByteAmount.Parse(text).Bytes);

    [Theory]
    [InlineData("-1", "negative")]
    [InlineData("0", "it is zero")]
    [InlineData("0B", "it is zero")]
    [InlineData("", "expected a number")]
    [InlineData("GiB", "expected a number")]
    [InlineData("1.2.3MB", "expected one number")]
    [InlineData(".", "expected one number")]
    [InlineData("1,5GB", "digits are not grouped")]
    [InlineData("8EiB", "too large")]
    [InlineData("9223372036854775808", "too large")]
    [InlineData("99999999999999999999999999999999", "too large")]
    [InlineData("10GiB 5MB", "one number with one unit")]
    [InlineData("10Gb", "may mean bits")]
    [InlineData("30%", "unknown unit '%'")]
    [InlineData("5d", "unknown unit 'd'")]
    [InlineData("200M/day", "unknown unit 'M/day'")]
    public void A_bad_size_says_why(string text, string why) => Says(why, () => ByteAmount.Parse(text));

    [Theory]
    [InlineData("200M/day", 200_000_000, 86_400)]
    [InlineData("125k/s", 125_000, 1)]
    [InlineData("2000/min", 2000, 60)]
    [InlineData("1bn/year", 1_000_000_000, 31_536_000)]
    [InlineData("2.5k/h", 2500, 3600)]
    public void Rates_are_read_exactly(string text, long count, long seconds) => Assert.Equal(new Rate(count, seconds), Rate.Parse(text));

    [Theory]
    [InlineData("200M", "say in what time")]
    [InlineData("200MB/day", "unit of bytes")]
    [InlineData("200m/day", "'m' is no prefix")]
    [InlineData("5/m", "minutes or months")]
    [InlineData("5/fortnight", "unknown time")]
    [InlineData("5/s/s", "unknown time")]
    [InlineData("0/s", "it is zero")]
    [InlineData("-5/s", "negative")]
    [InlineData("/s", "expected a number")]
    [InlineData("10T/s", null)]
    [InlineData("9223373T/s", "too large")]
    public void A_bad_rate_says_why(string text, string? why)
    {
        if (why is null) Assert.Equal(10_000_000_000_000, Rate.Parse(text).Count);
        else Says(why, () => Rate.Parse(text));
    }

    [Theory]
    [InlineData("12bn", 12_000_000_000)]
    [InlineData("12G", 12_000_000_000)]
    [InlineData("100M", 100_000_000)]
    [InlineData("1.5k", 1500)]
    public void Counts_are_read(string text, long count) => Assert.Equal(count, Count1000.Parse(text));

    [Theory]
    [InlineData("2.5", "'2.5' is not a whole number: write 2 or 3")]
    [InlineData("0.5", "not a whole number: write 1")]
    [InlineData("0", "it is zero")]
    [InlineData("-1", "negative")]
    [InlineData("12B", "unit of bytes")]
    [InlineData("12GiB", "unit of bytes")]
    [InlineData("12x", "unknown prefix")]
    [InlineData("9223372036854775808", "too large")]
    public void A_bad_count_says_why(string text, string why) => Says(why, () => Count1000.Parse(text));

    [Theory]
    [InlineData("30%", "0.3")]
    [InlineData("0.3", "0.3")]
    [InlineData("0", "0")]
    [InlineData("150%", "1.5")]
    [InlineData("12.5%", "0.125")]
    public void Shares_are_read(string text, string share) =>
        Assert.Equal(decimal.Parse(share, System.Globalization.CultureInfo.InvariantCulture), Share.Parse(text, 100));

    [Theory]
    [InlineData("30", "write 30% or a number from 0 to 1")]
    [InlineData("-30%", "negative")]
    [InlineData("101%", "the most is 100 %")]
    [InlineData("30B", "unknown unit 'B'")]
    public void A_bad_share_says_why(string text, string why) => Says(why, () => Share.Parse(text, 1));

    [Theory]
    [InlineData("1825d", 1825 * 86_400.0)]
    [InlineData("5y", 1825 * 86_400.0)]
    [InlineData("90s", 90)]
    [InlineData("200ms", 0.2)]
    [InlineData("1.5h", 5400)]
    [InlineData("1000y", 365_000 * 86_400.0)]
    public void Times_are_read(string text, double seconds) => Assert.Equal(seconds, Period.Parse(text).TotalSeconds);

    [Theory]
    [InlineData("6m", "minutes or months")]
    [InlineData("5", "say in what unit: 5d")]
    [InlineData("0d", "it is zero")]
    [InlineData("-1d", "negative")]
    [InlineData("1001y", "the longest is 1,000 years")]
    [InlineData("99999999999999999999999y", "the longest is 1,000 years")]
    [InlineData("5GB", "unknown unit 'GB'")]
    [InlineData("1d12h", "one number with one unit")]
    public void A_bad_time_says_why(string text, string why) => Says(why, () => Period.Parse(text));

    [Theory]
    [InlineData("1GiB/s", 1L << 30)]
    [InlineData("50MB/s", 50_000_000)]
    [InlineData("10Gbit/s", 1_250_000_000)]
    [InlineData("100 Mbit/s", 12_500_000)]
    public void Bandwidths_are_read(string text, long bytes) => Assert.Equal(bytes, ByteRate.Parse(text).Bytes);

    [Theory]
    [InlineData("1GiB", "say in a second")]
    [InlineData("10Gbps", "write bit/s or B/s")]
    [InlineData("10Gb/s", "may mean bits")]
    [InlineData("0bit/s", "it is zero")]
    [InlineData("10Xbit/s", "unknown prefix 'X'")]
    [InlineData("99999999999999999999Tbit/s", "too large")]
    public void A_bad_bandwidth_says_why(string text, string why) => Says(why, () => ByteRate.Parse(text));

    [Theory]
    [InlineData(0, "0 B", "0 B")]
    [InlineData(1023, "1023 B", "1.02 KB")]
    [InlineData(50_000_000_000, "46.57 GiB", "50.00 GB")]
    [InlineData(1_095_000_000_000, "1,019.80 GiB", "1.10 TB")] // 1.095 rounds half up.
    [InlineData(1_099_511_627_775, "1.00 TiB", "1.10 TB")]
    [InlineData(long.MaxValue, "8.00 EiB", "9.22 EB")]
    public void Sizes_are_shown_in_one_system(long bytes, string binary, string asDecimal)
    {
        Assert.Equal(binary, ByteAmount.Format(bytes, UnitSystem.Binary));
        Assert.Equal(asDecimal, ByteAmount.Format(bytes, UnitSystem.Decimal));
    }

    [Theory]
    [InlineData(23.148148, "23.1/s")]
    [InlineData(115.740741, "115.7/s")]
    [InlineData(125_000, "125,000/s")]
    [InlineData(33.333333, "33.3/s")]
    [InlineData(33, "33/s")]
    [InlineData(0.5, "30/min")]
    [InlineData(0.001, "3.6/h")]
    [InlineData(0.000231, "20/day")]
    [InlineData(0, "0/s")]
    public void Rates_are_shown(double perSecond, string text) => Assert.Equal(text, Rate.Format((decimal)perSecond));

    [Theory, Seeds(count: 20)]
    public void Units_round_trip(ulong seed)
    {
        var random = new SeededRandom(seed);
        for (var i = 0; i < 200; i++)
        {
            var number = (long)(random.NextUInt64() >> (1 + random.Next(63)));
            foreach (var system in Enum.GetValues<UnitSystem>())
            {
                if (number == 0) continue;
                var exact = ByteAmount.Parse(ByteAmount.FormatExact(number, system));
                Assert.Equal(number, exact.Bytes);
                Assert.True(exact.System is null || exact.System == system);

                // Two decimals: within half of the last one.
                if (number > 9_000_000_000_000_000_000) continue; // 8.00 EiB is one byte too many.
                var shown = ByteAmount.Parse(ByteAmount.Format(number, system).Replace(",", "", StringComparison.Ordinal));
                Assert.InRange((double)shown.Bytes, number * 0.995 - 1, number * 1.005 + 1);
            }

            if (number == 0) continue;
            var rate = new Rate(number, ((long[])[1, 60, 3600, 86_400, 604_800, 31_536_000])[random.Next(6)]);
            Assert.Equal(rate, Rate.Parse(rate.FormatExact()));
            var span = TimeSpan.FromSeconds(number % 31_536_000_000L);
            if (span > TimeSpan.Zero) Assert.Equal(span, Period.Parse(Period.FormatExact(span).Replace(",", "", StringComparison.Ordinal)));
        }
    }

    static void Says(string why, Func<object> parse) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => parse()).Message, StringComparison.Ordinal);
}
