using System.Globalization;

namespace Ashlar.Volumes;

/// <summary>Sizes in messages: in the largest unit that fits, and never more than there is.</summary>
public static class BinarySize
{
    static readonly string[] Units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>"5 GiB", or rounded down "4.99 GiB".</summary>
    public static string Format(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        var unit = 0;
        while (unit < Units.Length - 1 && bytes >> (10 * (unit + 1)) > 0) unit++;
        var whole = bytes >> (10 * unit);
        if (whole << (10 * unit) == bytes) return string.Create(CultureInfo.InvariantCulture, $"{whole} {Units[unit]}");
        var hundredths = (UInt128)(bytes - (whole << (10 * unit))) * 100 >> (10 * unit);
        return string.Create(CultureInfo.InvariantCulture, $"{whole}.{hundredths:D2} {Units[unit]}");
    }

    /// <summary>The same, with the number of bytes where it was rounded: what may be asked for to the byte.</summary>
    public static string FormatExact(long bytes)
    {
        var text = Format(bytes);
        return text.Contains('.', StringComparison.Ordinal) ? string.Create(CultureInfo.InvariantCulture, $"{text} ({bytes} bytes)") : text;
    }
}
