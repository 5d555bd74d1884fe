using System.Globalization;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Schedules;

/// <summary>Which of many moments are kept.</summary>
public sealed class RetentionTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 30, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("24h 7d 4w 12m 5y", "24h 7d 4w 12m 5y")]
    [InlineData("12m,3, 24h", "3 24h 12m")]
    [InlineData("0h 1d", "1d")]
    [InlineData("10000", "10000")]
    public void It_is_read_and_written(string text, string written)
    {
        var retention = Retention.Parse(text);
        Assert.Equal(written, retention.ToString());
        Assert.Equal(retention, Retention.Parse(written));
    }

    [Theory]
    [InlineData("", "'' keeps nothing")]
    [InlineData("0h 0", "'0h 0' keeps nothing")]
    [InlineData("7x", "'7x' is not a number to keep")]
    [InlineData("d", "'d' is not a number to keep")]
    [InlineData("-1d", "'-1d' is not a number to keep")]
    [InlineData("10001h", "'10001h' is not a number to keep")]
    [InlineData("99999999999999999999", "'99999999999999999999' is not a number to keep")]
    [InlineData("7d 4d", "'4d': 'd' comes twice")]
    [InlineData("3 4", "'4' is the second number without a letter")]
    [InlineData("7D", "'7D' is not a number to keep")]
    public void What_is_none_is_refused_with_the_part_that_is_wrong(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(() => Retention.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Of_each_period_the_first_is_kept_and_of_the_newest_as_many_as_are_asked_for()
    {
        // Four a day for 60 days.
        DateTimeOffset[] all = [.. Enumerable.Range(0, 240).Select(i => Start.AddHours(6 * i))];
        var kept = Retention.Parse("3d 2w 2m").Keep(all);
        Assert.Equal(
            ["2026-02-01 00:30", "2026-02-16 00:30", "2026-02-23 00:30", "2026-02-27 00:30", "2026-02-28 00:30", "2026-03-01 00:30"],
            kept.Select(each => each.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)));
        Assert.Equal(240, kept.Count + Retention.Parse("3d 2w 2m").Delete(all).Count);
        Assert.Equal(all[^5..], Retention.Parse("5").Keep(all));
    }

    [Fact]
    public void Periods_without_a_moment_do_not_count()
    {
        DateTimeOffset[] all = [Start, Start.AddYears(1), Start.AddYears(1).AddMinutes(5), Start.AddYears(7)];
        Assert.Equal([all[0], all[1], all[3]], Retention.Parse("3d").Keep(all));
        Assert.Equal([all[1], all[3]], Retention.Parse("2h").Keep(all));
    }

    [Fact]
    public void Periods_are_those_of_UTC_whatever_zone_a_moment_is_written_in()
    {
        var late = new DateTimeOffset(2026, 3, 1, 0, 30, 0, TimeSpan.FromHours(2)); // The last of February in UTC.
        var next = new DateTimeOffset(2026, 3, 1, 0, 30, 0, TimeSpan.Zero);
        Assert.Equal([late, next], Retention.Parse("2d").Keep([late, next]));
        Assert.Equal(new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero), Retention.BeginningOf(RetentionPeriod.Month, late));
        Assert.Equal([late, late.ToUniversalTime()], Retention.Parse("1").Keep([late, late.ToUniversalTime()])); // One moment, twice.
    }

    [Theory]
    [InlineData("2026-03-01", "2026-02-23")] // A Sunday.
    [InlineData("2026-03-02", "2026-03-02")]
    [InlineData("2027-01-01", "2026-12-28")]
    [InlineData("0001-01-03", "0001-01-01")]
    [InlineData("9999-12-31", "9999-12-27")]
    public void A_week_begins_on_Monday(string day, string monday) => Assert.Equal(
        monday,
        Retention.BeginningOf(RetentionPeriod.Week, DateTimeOffset.Parse($"{day}T23:59:59Z", CultureInfo.InvariantCulture))
            .ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    [Fact]
    public void The_order_in_which_they_come_does_not_matter_and_is_kept()
    {
        DateTimeOffset[] all = [Start.AddDays(2), Start, Start.AddDays(1)];
        Assert.Equal([all[0], all[2]], Retention.Parse("2d").Keep(all));
        Assert.Equal([all[1]], Retention.Parse("2d").Delete(all));
        Assert.Empty(Retention.Parse("2d").Keep([]));
    }

    /// <remarks>What a schedule does day by day: a moment comes, and what is not kept goes.</remarks>
    [Theory, Seeds(20)]
    public void Thinning_out_as_they_come_keeps_what_thinning_out_at_once_would_keep(ulong seed)
    {
        var random = new SeededRandom(seed);
        var retention = Retention.Parse(
            $"{random.Next(3)} {1 + random.Next(30)}h {1 + random.Next(10)}d {1 + random.Next(5)}w "
            + $"{1 + random.Next(12)}m {1 + random.Next(3)}y");
        Check(moments => retention.Keep(moments), random);
    }

    [Theory, Seeds(3)]
    public void The_check_finds_a_retention_that_keeps_the_middle_of_each_period(ulong seed) =>
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Check(
            moments =>
            [
                .. moments.GroupBy(moment => Retention.BeginningOf(RetentionPeriod.Month, moment)).TakeLast(12)
                    .Select(month => month.ElementAt(month.Count() / 2)),
            ],
            new SeededRandom(seed)));

    static void Check(Func<IReadOnlyList<DateTimeOffset>, IReadOnlyList<DateTimeOffset>> keep, SeededRandom random)
    {
        var (all, left) = (new List<DateTimeOffset>(), new List<DateTimeOffset>());
        var now = Start;
        for (var i = 0; i < 400; i++)
        {
            now = now.AddMinutes(1 + random.Next(60 * 40));
            all.Add(now);
            left.Add(now);
            left = [.. keep(left)];
            Assert.Equal(left, keep(left)); // Once more changes nothing.
        }
        Assert.Equal(keep(all), left);
    }
}
