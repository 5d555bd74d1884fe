using System.Globalization;

namespace Ashlar.Server;

/// <summary>How long something takes, as people say it: no more exact than it is known.</summary>
static class RoundTime
{
    /// <summary>"40 minutes", "3 hours", "12 days".</summary>
    public static string Format(TimeSpan time) => time switch
    {
        { TotalMinutes: < 1.5 } => "a minute",
        { TotalMinutes: < 90 } => Count(time.TotalMinutes, "minutes"),
        { TotalHours: < 36 } => Count(time.TotalHours, "hours"),
        _ => Count(time.TotalDays, "days"),
    };

    static string Count(double count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(count):F0} {unit}");
}
