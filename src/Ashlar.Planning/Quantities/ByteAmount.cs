using System.Globalization;

namespace Ashlar.Planning;

/// <summary>A number of bytes that somebody wrote, and the system of the unit they wrote it in.</summary>
/// <param name="Bytes">0 to 2^63 - 1.</param>
/// <param name="System">Null for plain bytes, which go with both.</param>
public readonly record struct ByteAmount(long Bytes, UnitSystem? System = null)
{
    const string Prefixes = "KMGTPE";

    /// <summary>
    /// Reads "250B", "2MiB", "1.5TB", "4096". K, M, G, T, P, E and KiB to EiB are powers of 1024, KB to EB of 1000. Fractions are
    /// rounded up to whole bytes.
    /// </summary>
    /// <exception cref="FormatException">It is no size, or it is zero; the message says why.</exception>
    public static ByteAmount Parse(string text) => Parse(text, mayBeZero: false);

    /// <inheritdoc cref="Parse(string)" />
    /// <param name="text">What somebody wrote.</param>
    /// <param name="mayBeZero">Whether 0 is a sensible answer.</param>
    public static ByteAmount Parse(string text, bool mayBeZero)
    {
        var number = Numeral.Read(text, "a size", "10GiB", out var unit);
        if (number == 0 && !mayBeZero) throw Numeral.Invalid(text, "a size to plan with", "it is zero");
        var (multiplier, system) = ReadUnit(text, unit);
        return number <= Numeral.Largest && decimal.Ceiling(number * multiplier) is var bytes and <= Numeral.Largest
            ? new((long)bytes, system)
            : throw Numeral.Invalid(text, "a size", "too large; the largest is 8EiB - 1 (2^63 - 1 bytes)");
    }

    /// <summary>For people: "46.57 GiB", "1,019.80 GiB", "512 B"; two decimals, rounded half up.</summary>
    public static string Format(long bytes, UnitSystem system)
    {
        decimal unit = system == UnitSystem.Binary ? 1024 : 1000;
        decimal value = bytes;
        var prefix = -1;
        // 1023.995 would show as 1,024.00, which is the next unit's 1.00.
        while (value >= unit - 0.005m && prefix < Prefixes.Length - 1)
        {
            value /= unit;
            prefix++;
        }

        if (prefix < 0) return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        var rounded = decimal.Round(value, 2, MidpointRounding.AwayFromZero);
        return string.Create(CultureInfo.InvariantCulture, $"{rounded:N2} {Name(prefix, system)}");
    }

    /// <summary>Without rounding: "2 MiB", "250 B", "1537 B". <see cref="Parse(string)"/> reads it back as the same number.</summary>
    public static string FormatExact(long bytes, UnitSystem system)
    {
        var unit = system == UnitSystem.Binary ? 1024 : 1000;
        var (value, prefix) = (bytes, -1);
        while (value != 0 && value % unit == 0 && prefix < Prefixes.Length - 1)
        {
            value /= unit;
            prefix++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value} {(prefix < 0 ? "B" : Name(prefix, system))}");
    }

    static string Name(int prefix, UnitSystem system) => system == UnitSystem.Binary ? $"{Prefixes[prefix]}iB" : $"{Prefixes[prefix]}B";

    static (decimal Multiplier, UnitSystem? System) ReadUnit(string text, string unit)
    {
        if (unit is "" or "B" or "b") return (1, null);
        var power = Prefixes.IndexOf(char.ToUpperInvariant(unit[0]), StringComparison.Ordinal) + 1;
        // "10Gb" is gigabits to some and gigabytes to others.
        if (power > 0 && unit[1..] is "b" && char.IsAsciiLetterUpper(unit[0]))
            throw Numeral.Invalid(text, "a size", $"'{unit}' may mean bits: write {unit[..1]}B (1000) or {unit[..1]}iB (1024)");
        UnitSystem? system = unit[1..].ToUpperInvariant() switch
        {
            "" or "I" or "IB" => UnitSystem.Binary,
            "B" => UnitSystem.Decimal,
            _ => null,
        };
        if (power == 0 || system is not { } known)
            throw Numeral.Invalid(
                text, "a size", $"unknown unit '{unit}'; known are B, KiB, MiB, GiB, TiB, PiB, EiB and KB, MB, GB, TB, PB, EB");
        decimal multiplier = 1;
        for (var i = 0; i < power; i++) multiplier *= known == UnitSystem.Binary ? 1024 : 1000;
        return (multiplier, known);
    }
}
