using System.Globalization;
using System.Numerics;

namespace Ashlar.CommandLine;

/// <summary>
/// Sizes as people write them. In: 10GiB = 10Gi = 10G = 10 * 2^30, 10GB = 10 * 10^9, 1.5TiB, a bare number is bytes; case does not
/// matter. Out: IEC units with two decimals.
/// </summary>
static class ByteSize
{
    const string Prefixes = "KMGTPE";
    const int MostDecimals = 18;

    /// <summary>Reads a size. A fraction of a byte counts as a whole one.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static long Parse(string text)
    {
        var trimmed = text.AsSpan().Trim();
        if (trimmed.StartsWith("-")) throw Invalid(text, "a size is not negative");
        var whole = CountDigits(trimmed);
        var decimals = 0;
        if (whole < trimmed.Length && trimmed[whole] is '.' or ',')
        {
            if (trimmed[whole] == ',') throw Invalid(text, "a fraction is written with a point, as in 1.5GiB");
            decimals = CountDigits(trimmed[(whole + 1)..]);
            if (decimals == 0) throw Invalid(text, "a digit is missing after the point");
        }
        if (whole == 0) throw Invalid(text, "expected a number and a unit, such as 10GiB");
        if (decimals > MostDecimals) throw Invalid(text, $"more than {MostDecimals} decimals");

        var number = decimals == 0 ? whole : whole + 1 + decimals;
        var multiplier = ParseUnit(text, trimmed[number..].TrimStart());
        if (decimals > 0 && multiplier == 1) throw Invalid(text, "bytes are a whole number; add a unit, such as GiB");
        var digits = string.Concat(trimmed[..whole], decimals == 0 ? [] : trimmed.Slice(whole + 1, decimals));
        var scale = BigInteger.Pow(10, decimals);
        var bytes = ((BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture) * multiplier) + scale - 1) / scale;
        return bytes <= long.MaxValue ? (long)bytes : throw Invalid(text, "too large; the largest is 8EiB - 1");
    }

    /// <summary>Writes a size for people: "10.00 GiB", "512 B".</summary>
    public static string Format(long bytes)
    {
        if (Math.Abs(bytes) < 1024) return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        var value = (double)bytes;
        var prefix = -1;
        // 1023.995 would round to 1024.00, which is the next unit's 1.00.
        while (Math.Abs(value) >= 1023.995 && prefix < Prefixes.Length - 1)
        {
            value /= 1024;
            prefix++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{value:F2} {Prefixes[prefix]}iB");
    }

    /// <summary>Writes a size for people who need every byte: "500,000,002,048 bytes".</summary>
    public static string FormatExact(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes");

    static int CountDigits(ReadOnlySpan<char> text)
    {
        var digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
        return digits;
    }

    static ulong ParseUnit(string text, ReadOnlySpan<char> unit)
    {
        if (unit.IsEmpty || unit.Equals("B", StringComparison.OrdinalIgnoreCase)) return 1;
        var power = Prefixes.IndexOf(char.ToUpperInvariant(unit[0])) + 1;
        var rest = unit[1..];
        var isBinary = rest.IsEmpty
            || rest.Equals("i", StringComparison.OrdinalIgnoreCase)
            || rest.Equals("iB", StringComparison.OrdinalIgnoreCase);
        if (power == 0 || (!isBinary && !rest.Equals("B", StringComparison.OrdinalIgnoreCase)))
            throw Invalid(text, $"unknown unit '{unit}'; known are B, KiB, MiB, GiB, TiB, PiB, EiB and KB, MB, GB, TB, PB, EB");
        var multiplier = 1UL;
        for (var i = 0; i < power; i++) multiplier *= isBinary ? 1024UL : 1000UL;
        return multiplier;
    }

    static FormatException Invalid(string text, string why) => new($"'{text}' is not a size: {why}");
}
