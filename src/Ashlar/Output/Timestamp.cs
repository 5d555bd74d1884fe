using System.Globalization;

namespace Ashlar.CommandLine;

/// <summary>Moments, in one form everywhere: UTC, to the second (ISO 8601, RFC 3339): "2026-11-21T07:30:00Z".</summary>
static class Timestamp
{
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Reads a moment; without a zone it is UTC, as all that is printed.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static DateTimeOffset Parse(string text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment)
            ? moment
            : throw new FormatException($"'{text}' is not a time: expected one such as 2026-11-21T07:30:00Z");
}
