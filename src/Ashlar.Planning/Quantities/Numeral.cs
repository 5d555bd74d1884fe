using System.Globalization;

namespace Ashlar.Planning;

/// <summary>The number at the beginning of a quantity; what follows it is the unit.</summary>
static class Numeral
{
    /// <summary>Largest number of bytes or records: 2^63 - 1.</summary>
    public const long Largest = long.MaxValue;

    public static decimal Read(string text, string what, string example, out string unit)
    {
        var trimmed = text.AsSpan().Trim();
        if (trimmed.StartsWith("-")) throw Invalid(text, what, "it is negative");
        var length = 0;
        while (length < trimmed.Length && (char.IsAsciiDigit(trimmed[length]) || trimmed[length] == '.')) length++;
        if (length < trimmed.Length && trimmed[length] is ',' or '_' or '\'')
            throw Invalid(text, what, "digits are not grouped: write 1500000 or 1.5M");
        if (length == 0) throw Invalid(text, what, $"expected a number and a unit, such as {example}");
        if (!trimmed[..length].ContainsAnyInRange('0', '9') || trimmed[..length].Count('.') > 1)
            throw Invalid(text, what, $"expected one number, such as {example}");
        if (!decimal.TryParse(trimmed[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            throw Invalid(text, what, "too large; the largest is 2^63 - 1");
        unit = trimmed[length..].TrimStart().ToString();
        if (unit.AsSpan().ContainsAnyInRange('0', '9'))
            throw Invalid(text, what, $"expected one number with one unit, such as {example}");
        return number;
    }

    public static FormatException Invalid(string text, string what, string why) => new($"'{text}' is not {what}: {why}");

    /// <summary>"1,825", "0.05", "2.5": digits in groups, and no zeros at the end.</summary>
    public static string Format(decimal number) => number.ToString("#,##0.#########", CultureInfo.InvariantCulture);

    /// <summary>"250.000000000" and "250" alike as "250", which can be read again.</summary>
    public static string FormatPlain(decimal number) => number.ToString("0.############################", CultureInfo.InvariantCulture);
}
