using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>A schedule of snapshots on a command line: <c>hourly=24,daily=7</c>, or none.</summary>
static class SnapshotScheduleText
{
    const string None = "none";

    /// <exception cref="FormatException">It is none.</exception>
    public static SnapshotSchedule Parse(string text)
    {
        var schedule = new SnapshotSchedule();
        if (text == None) return schedule;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in text.Split(','))
        {
            if (part.Split('=') is not [var period, var digits] || !seen.Add(period)
                || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                throw Invalid(text);
            schedule = period switch
            {
                "hourly" => schedule with { Hourly = count },
                "daily" => schedule with { Daily = count },
                "weekly" => schedule with { Weekly = count },
                "monthly" => schedule with { Monthly = count },
                _ => throw Invalid(text),
            };
        }
        return schedule;
    }

    public static string Format(SnapshotSchedule? schedule)
    {
        if (schedule is null) return None;
        (string Period, int Count)[] all =
            [("hourly", schedule.Hourly), ("daily", schedule.Daily), ("weekly", schedule.Weekly), ("monthly", schedule.Monthly)];
        var named = all.Where(each => each.Count > 0)
            .Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Period}={each.Count}"));
        return string.Join(',', named) is { Length: > 0 } text ? text : None;
    }

    static FormatException Invalid(string text) =>
        new($"'{text}' is not a schedule: expected none, or some of hourly=N,daily=N,weekly=N,monthly=N");
}
