using System.Globalization;

namespace Ashlar.Server.Tests.Schedules;

/// <summary>When snapshots are due, and which stay.</summary>
public sealed class SnapshotRetentionTests
{
    static readonly DateTimeOffset Start = At("2026-11-01T00:00:00Z");

    [Theory]
    [InlineData(24, 7, "2026-11-10T10:59:00Z", "2026-11-10T11:00:00Z", true)]
    [InlineData(24, 7, "2026-11-10T10:00:00Z", "2026-11-10T10:59:59Z", false)]
    [InlineData(0, 7, "2026-11-10T10:00:00Z", "2026-11-10T23:59:59Z", false)]
    [InlineData(0, 7, "2026-11-10T23:59:59Z", "2026-11-11T00:00:00Z", true)]
    [InlineData(24, 0, "2026-11-10T10:00:00Z", "2026-11-20T10:00:00Z", true)] // However long it was away.
    [InlineData(24, 0, "2026-11-10T10:00:00Z", "2026-11-09T10:00:00Z", false)] // The clock was set back.
    [InlineData(0, 0, "2026-11-10T10:00:00Z", "2027-11-09T10:00:00Z", false)]
    public void One_is_due_when_the_shortest_period_begins(int hourly, int daily, string last, string now, bool expected) =>
        Assert.Equal(expected, new SnapshotRetention(hourly, daily, 0, 0).IsDue(At(last), At(now)));

    [Fact]
    public void The_first_of_so_many_periods_stay()
    {
        var retention = new SnapshotRetention(Hourly: 3, Daily: 2, Weekly: 2, Monthly: 1);
        var taken = Enumerable.Range(0, 24 * 20 + 6).Select(hour => Start.AddHours(hour)).ToArray(); // To 2026-11-21, 05:00.
        string[] expected =
        [
            "2026-11-01T00", // The month.
            "2026-11-09T00", "2026-11-16T00", // Mondays.
            "2026-11-20T00", "2026-11-21T00",
            "2026-11-21T03", "2026-11-21T04", "2026-11-21T05",
        ];
        Assert.Equal(expected, Names(retention.Kept(taken)));
    }

    [Fact]
    public void What_goes_is_never_wanted_later()
    {
        // Whether one looks every hour or once at the end, the same is left.
        var retention = new SnapshotRetention(Hourly: 5, Daily: 3, Weekly: 2, Monthly: 2);
        var all = Enumerable.Range(0, 24 * 70).Select(hour => Start.AddHours(hour)).ToArray();
        HashSet<DateTimeOffset> left = [];
        foreach (var time in all) left = [.. retention.Kept(left.Append(time))];
        Assert.Equal(Names(retention.Kept(all)), Names(left));
    }

    [Fact]
    public void A_schedule_is_read_as_it_was_written_and_nothing_else_is_one()
    {
        var retention = new SnapshotRetention(24, 7, 4, 12);
        Assert.Equal(retention, SnapshotRetention.Read(retention.ToBytes()));
        Assert.Equal(SnapshotRetention.None, SnapshotRetention.Read(null));
        Assert.Equal(SnapshotRetention.None, SnapshotRetention.Read([1, 2]));
        Assert.Equal(SnapshotRetention.None, SnapshotRetention.Read([.. Enumerable.Repeat((byte)255, 16)]));
    }

    static IEnumerable<string> Names(IEnumerable<DateTimeOffset> times) =>
        times.Order().Select(time => time.ToString("yyyy-MM-dd'T'HH", CultureInfo.InvariantCulture));

    static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
