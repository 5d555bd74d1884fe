namespace Ashlar.CommandLine;

/// <summary>Spans of time for people.</summary>
static class Duration
{
    /// <summary>The two largest units: "3 days 4 h", "12 min", "40 s".</summary>
    public static string Format(TimeSpan span) => span switch
    {
        { Ticks: < 0 } => "0 s",
        { TotalMinutes: < 1 } => $"{span.Seconds} s",
        { TotalHours: < 1 } => $"{span.Minutes} min {span.Seconds} s",
        { TotalDays: < 1 } => $"{span.Hours} h {span.Minutes} min",
        { TotalDays: < 2 } => $"1 day {span.Hours} h",
        _ => $"{span.Days} days {span.Hours} h",
    };
}
