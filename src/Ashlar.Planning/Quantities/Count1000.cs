namespace Ashlar.Planning;

/// <summary>Numbers of things: 1M, 12G, 12bn. Their prefixes are always powers of 1000.</summary>
public static class Count1000
{
    /// <summary>Reads "1000000", "1M", "12bn"; a whole number of 1 or more.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static long Parse(string text) => Parse(text, 1, Numeral.Largest);

    /// <summary>Reads a whole number within limits.</summary>
    /// <exception cref="FormatException">It is none, or out of the limits; the message says why.</exception>
    public static long Parse(string text, long least, long most)
    {
        var number = Read(text, text, "a number", "1M");
        if (number != decimal.Truncate(number))
        {
            var (below, above) = (decimal.Floor(number), decimal.Ceiling(number));
            throw Numeral.Invalid(
                text,
                "a whole number",
                $"write {(below < least ? "" : $"{Numeral.FormatPlain(below)} or ")}{Numeral.FormatPlain(above)}");
        }

        if (number < least)
            throw Numeral.Invalid(text, "a number to plan with", number == 0 ? "it is zero" : $"the least is {Numeral.Format(least)}");
        return number <= most ? (long)number : throw Numeral.Invalid(text, "a number to plan with", $"the most is {Numeral.Format(most)}");
    }

    /// <summary>Reads a number of 1 or more that need not be whole: 1.5.</summary>
    /// <exception cref="FormatException">It is none, or out of the limits; the message says why.</exception>
    public static decimal ParseFactor(string text, decimal most) => ParseNumber(text, 1, most);

    /// <summary>Reads a number within limits that need not be whole.</summary>
    /// <exception cref="FormatException">It is none, or out of the limits; the message says why.</exception>
    public static decimal ParseNumber(string text, decimal least, decimal most)
    {
        var number = Read(text, text, "a number", "1.5");
        if (number == 0 && least > 0) throw Numeral.Invalid(text, "a number to plan with", "it is zero");
        return number >= least && number <= most
            ? number
            : throw Numeral.Invalid(text, "a number to plan with", $"expected {Numeral.Format(least)} to {Numeral.Format(most)}");
    }

    internal static decimal Read(string whole, string text, string what, string example)
    {
        var number = Numeral.Read(text, what, example, out var unit);
        decimal? multiplier = unit switch
        {
            "" => 1,
            "k" or "K" => 1_000,
            "M" => 1_000_000,
            "G" or "bn" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            _ => null,
        };
        if (unit is "B" or "b" or "m" || unit.EndsWith("iB", StringComparison.Ordinal) || unit is "KB" or "MB" or "GB" or "TB")
        {
            throw Numeral.Invalid(
                whole,
                what,
                unit == "m"
                    ? "'m' is no prefix: write M for million"
                    : $"'{unit}' is a unit of bytes; prefixes of numbers are k, M, G (or bn), T");
        }

        if (multiplier is not { } times) throw Numeral.Invalid(whole, what, $"unknown prefix '{unit}'; known are k, M, G (or bn), T");
        return number <= Numeral.Largest && number * times <= Numeral.Largest
            ? number * times
            : throw Numeral.Invalid(whole, what, "too large; the largest is 2^63 - 1");
    }
}
