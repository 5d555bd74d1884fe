namespace Ashlar.Planning;

/// <summary>Bytes a second.</summary>
public static class ByteRate
{
    const string Prefixes = "KMGT";

    /// <summary>Reads "1GiB/s", "50MB/s", "10Gbit/s"; bits have decimal prefixes, and 8 make a byte.</summary>
    /// <exception cref="FormatException">It is none, or it is zero; the message says why.</exception>
    public static ByteAmount Parse(string text)
    {
        var trimmed = text.Trim();
        if (trimmed.EndsWith("bps", StringComparison.OrdinalIgnoreCase))
            throw Numeral.Invalid(text, "a bandwidth", "write bit/s or B/s: Mbit/s, MB/s, MiB/s");
        if (!trimmed.EndsWith("/s", StringComparison.Ordinal))
            throw Numeral.Invalid(text, "a bandwidth", "say in a second, such as 1GiB/s or 10Gbit/s");
        trimmed = trimmed[..^2].TrimEnd();
        if (!trimmed.EndsWith("bit", StringComparison.Ordinal)) return ByteAmount.Parse(trimmed);
        var number = Numeral.Read(text, "a bandwidth", "10Gbit/s", out var unit);
        var prefix = unit[..^"bit/s".Length].TrimEnd();
        var power = prefix.Length == 0 ? 0 : Prefixes.IndexOf(prefix, StringComparison.OrdinalIgnoreCase) + 1;
        if (prefix.Length > 1 || (prefix.Length == 1 && power == 0))
            throw Numeral.Invalid(text, "a bandwidth", $"unknown prefix '{prefix}'; known are K, M, G, T");
        for (var i = 0; i < power && number <= Numeral.Largest; i++) number *= 1000;
        if (number == 0) throw Numeral.Invalid(text, "a bandwidth to plan with", "it is zero");
        return number / 8 <= Numeral.Largest
            ? new((long)decimal.Ceiling(number / 8))
            : throw Numeral.Invalid(text, "a bandwidth", "too large; the largest is 8EiB - 1 in a second");
    }
}
