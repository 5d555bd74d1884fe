using System.Globalization;

namespace Ashlar.Planning;

/// <summary>Spans of time: "1825d", "5y", "90s".</summary>
public static class Period
{
    const long MostDays = 365_000;

    /// <summary>Reads a time of more than zero and at most 1,000 years; a year is 365 days.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static TimeSpan Parse(string text)
    {
        var number = Numeral.Read(text, "a time", "5y or 30d", out var unit);
        decimal? seconds = unit switch
        {
            "ms" => 0.001m,
            "s" or "sec" => 1,
            "min" => 60,
            "h" => 3600,
            "d" or "day" or "days" => Rate.DaySeconds,
            "w" => 7 * Rate.DaySeconds,
            "y" => Rate.YearSeconds,
            "m" => throw Numeral.Invalid(text, "a time", "'m' may mean minutes or months: write min or d"),
            "" => throw Numeral.Invalid(text, "a time", $"say in what unit: {text.Trim()}d for days"),
            _ => null,
        };
        if (seconds is not { } one)
            throw Numeral.Invalid(text, "a time", $"unknown unit '{unit}'; known are s, min, h, d, w, y (365 days)");
        if (number > MostDays * Rate.DaySeconds * 1000 || number * one > MostDays * Rate.DaySeconds)
            throw Numeral.Invalid(text, "a time to plan with", "the longest is 1,000 years (1000y)");
        var ticks = decimal.Ceiling(number * one * TimeSpan.TicksPerSecond);
        return ticks > 0 ? TimeSpan.FromTicks((long)ticks) : throw Numeral.Invalid(text, "a time to plan with", "it is zero");
    }

    /// <summary>Without rounding, and readable by <see cref="Parse"/> without its commas: "1,825 days", "12 h".</summary>
    public static string FormatExact(TimeSpan span)
    {
        var (unit, ticks) = span.Ticks switch
        {
            var t when t % TimeSpan.TicksPerDay == 0 => (t == TimeSpan.TicksPerDay ? "day" : "days", TimeSpan.TicksPerDay),
            var t when t % TimeSpan.TicksPerHour == 0 => ("h", TimeSpan.TicksPerHour),
            var t when t % TimeSpan.TicksPerMinute == 0 => ("min", TimeSpan.TicksPerMinute),
            _ => ("s", TimeSpan.TicksPerSecond),
        };
        return $"{Numeral.Format((decimal)span.Ticks / ticks)} {unit}";
    }

    /// <summary>For people, two digits or more: "4.7 h", "12 min", "3.5 days", "2.1 years".</summary>
    public static string Format(double seconds)
    {
        var (value, unit) = seconds switch
        {
            < 1 => (seconds * 1000, "ms"),
            < 120 => (seconds, "s"),
            < 7200 => (seconds / 60, "min"),
            < 2 * Rate.DaySeconds => (seconds / 3600, "h"),
            < 2 * Rate.YearSeconds => (seconds / Rate.DaySeconds, "days"),
            _ => (seconds / Rate.YearSeconds, "years"),
        };
        return value >= 99.95
            ? string.Create(CultureInfo.InvariantCulture, $"{value:N0} {unit}")
            : string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {unit}");
    }
}
