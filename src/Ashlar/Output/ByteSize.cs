using System.Globalization;

namespace Ashlar.CommandLine;

/// <summary>
/// Sizes as people write them. In: 10GiB = 10Gi = 10G = 10 * 2^30, 10GB = 10 * 10^9, a bare number is bytes; case does not
/// matter. Out: IEC units with two decimals.
/// </summary>
static class ByteSize
{
    const string Prefixes = "KMGTPE";

    /// <summary>Reads a size.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static long Parse(string text)
    {
        var trimmed = text.AsSpan().Trim();
        var digits = 0;
        while (digits < trimmed.Length && char.IsAsciiDigit(trimmed[digits])) digits++;
        if (trimmed.StartsWith("-")) throw Invalid(text, "a size is not negative");
        if (digits < trimmed.Length && trimmed[digits] is '.' or ',')
            throw Invalid(text, "fractions are not taken; use the next smaller unit: 1536MiB for 1.5GiB");
        if (digits == 0) throw Invalid(text, "expected a number and a unit, such as 10GiB");

        var multiplier = ParseUnit(text, trimmed[digits..].TrimStart());
        return UInt128.TryParse(trimmed[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue
            && number * multiplier <= long.MaxValue
                ? (long)(number * multiplier)
                : throw Invalid(text, "too large; the largest is 8EiB - 1");
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
