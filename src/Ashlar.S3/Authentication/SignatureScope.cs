using System.Globalization;

namespace Ashlar.S3;

/// <summary>For what a signature holds: a key, a day, a region.</summary>
sealed record SignatureScope(string KeyId, string Date, string Region, string Service)
{
    public const string Algorithm = "AWS4-HMAC-SHA256";

    const string Terminator = "aws4_request";
    const int MaxLength = 512;

    /// <summary>The scope as it is signed.</summary>
    public string Text => $"{Date}/{Region}/{Service}/{Terminator}";

    /// <summary>Reads a credential: a key and a scope; null for what is none.</summary>
    public static SignatureScope? Parse(string credential)
    {
        if (credential.Length > MaxLength) return null;
        // Keys of others may have slashes; what follows has a fixed form.
        var parts = credential.Split('/');
        if (parts.Length < 5 || parts[^1] != Terminator) return null;
        var key = string.Join('/', parts[..^4]);
        var date = parts[^4];
        if (key.Length == 0 || date.Length != 8 || !date.All(char.IsAsciiDigit)) return null;
        return new(key, date, parts[^3], parts[^2]);
    }

    /// <summary>Reads a time as signatures have it.</summary>
    public static DateTimeOffset? ParseTime(string text) =>
        DateTimeOffset.TryParseExact(
            text, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;

    public static string FormatTime(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
}
