using System.Globalization;

namespace Ashlar.CommandLine;

/// <summary>Parts of a whole, in hundredths of it.</summary>
static class Percentage
{
    /// <summary>Null where there is no whole.</summary>
    public static double? Of(long part, long whole) => whole == 0 ? null : 100.0 * part / whole;

    /// <summary>"12.5 %", or "-" where there is no whole.</summary>
    public static string Format(long part, long whole) =>
        Of(part, whole) is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent:F1} %") : "-";
}
