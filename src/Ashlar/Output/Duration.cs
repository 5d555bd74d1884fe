using System.Globalization;

namespace Ashlar.CommandLine;

/// <summary>Spans of time as people write them. In: 500ms, 30s, 5m, 2h, 7d, 2w, 1.5h. Out: the two largest units.</summary>
static class Duration
{
    const int MostDays = 365_000;

    /// <summary>Reads a span of more than zero and at most 1,000 years.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static TimeSpan Parse(string text)
    {
        var number = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        TimeSpan? unit = text[number..].TrimStart() switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" or "sec" => TimeSpan.FromSeconds(1),
            "m" or "min" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" or "day" or "days" => TimeSpan.FromDays(1),
            "w" => TimeSpan.FromDays(7),
            "y" => TimeSpan.FromDays(365),
            _ => null,
        };
        if (unit is not { } one
            || !decimal.TryParse(
                text.AsSpan(0, number), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
            throw new FormatException($"'{text}' is not a time: expected a number and ms, s, m, h, d, w or y, such as 30s");
        var most = (decimal)TimeSpan.FromDays(MostDays).Ticks;
        if (count > most / one.Ticks) throw new FormatException($"'{text}' is not a time: the longest is 1000y");
        var ticks = (long)decimal.Ceiling(count * one.Ticks);
        return ticks > 0 ? new TimeSpan(ticks) : throw new FormatException($"'{text}' is not a time: it is zero");
    }

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
