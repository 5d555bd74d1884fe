using System.Globalization;

namespace Ashlar.Planning;

/// <summary>So many in a period, exactly as it was said: 2,000 a minute is not rounded to 33.3 a second.</summary>
/// <param name="Count">How many.</param>
/// <param name="PeriodSeconds">In how many seconds.</param>
public readonly record struct Rate(decimal Count, long PeriodSeconds)
{
    /// <summary>Seconds in a day.</summary>
    public const long DaySeconds = 86_400;

    /// <summary>Seconds in a year of 365 days.</summary>
    public const long YearSeconds = 365 * DaySeconds;

    /// <summary>How many a second.</summary>
    public decimal PerSecond => Count / PeriodSeconds;

    /// <summary>How many a day.</summary>
    public decimal PerDay => Count * DaySeconds / PeriodSeconds;

    /// <summary>So many a second.</summary>
    public static Rate OfSecond(decimal count) => new(count, 1);

    /// <summary>So many a day.</summary>
    public static Rate OfDay(decimal count) => new(count, DaySeconds);

    /// <summary>How many in a span of time.</summary>
    /// <exception cref="OverflowException">More than 2^96.</exception>
    public decimal In(TimeSpan span) => Count * ((decimal)span.Ticks / TimeSpan.TicksPerSecond) / PeriodSeconds;

    /// <summary>Reads "200M/day", "125k/s", "2000/min"; k, M, G (or bn) and T are powers of 1000.</summary>
    /// <exception cref="FormatException">It is no rate, or it is zero; the message says why.</exception>
    public static Rate Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) throw Numeral.Invalid(text, "a rate", "say in what time, such as 200M/day or 125k/s");
        var count = Count1000.Read(text, text[..slash], "a rate", "200M/day");
        if (count == 0) throw Numeral.Invalid(text, "a rate to plan with", "it is zero");
        return new(count, ReadPeriod(text, text[(slash + 1)..].Trim()));
    }

    /// <summary>For people: "23.1/s", "125,000/s", "3.6/h". The unit of time is the shortest that shows at least 1.</summary>
    public static string Format(decimal perSecond)
    {
        var (value, unit) = perSecond switch
        {
            >= 1 or 0 => (perSecond, "s"),
            >= 1m / 60 => (perSecond * 60, "min"),
            >= 1m / 3600 => (perSecond * 3600, "h"),
            _ => (perSecond * DaySeconds, "day"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{Shorten(value)}/{unit}");
    }

    /// <summary>Without rounding, and readable by <see cref="Parse"/>: "200000000/day".</summary>
    public string FormatExact() => PeriodSeconds switch
    {
        1 => $"{Numeral.FormatPlain(Count)}/s",
        60 => $"{Numeral.FormatPlain(Count)}/min",
        3600 => $"{Numeral.FormatPlain(Count)}/h",
        DaySeconds => $"{Numeral.FormatPlain(Count)}/day",
        7 * DaySeconds => $"{Numeral.FormatPlain(Count)}/week",
        YearSeconds => $"{Numeral.FormatPlain(Count)}/year",
        _ => $"{Numeral.FormatPlain(Count / PeriodSeconds)}/s",
    };

    static string Shorten(decimal value)
    {
        var rounded = decimal.Round(value, value >= 10_000 ? 0 : 1, MidpointRounding.AwayFromZero);
        return rounded.ToString("#,##0.#", CultureInfo.InvariantCulture);
    }

    static long ReadPeriod(string text, string unit) => unit switch
    {
        "s" or "sec" or "second" => 1,
        "min" or "minute" => 60,
        "h" or "hour" => 3600,
        "d" or "day" => DaySeconds,
        "w" or "week" => 7 * DaySeconds,
        "y" or "year" => YearSeconds,
        "m" => throw Numeral.Invalid(text, "a rate", "'m' may mean minutes or months: write min or day"),
        _ => throw Numeral.Invalid(text, "a rate", $"unknown time '{unit}'; known are s, min, h, day, week, year (365 days)"),
    };
}
