using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>The one form of time: RFC 3339, in UTC, to the millisecond. So times sort as text.</summary>
public static class Rfc3339
{
    /// <summary>"2026-11-21T01:43:12.406Z".</summary>
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Writes that form; reads any of RFC 3339.</summary>
    public sealed class Converter : JsonConverter<DateTimeOffset>
    {
        /// <inheritdoc />
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        /// <inheritdoc />
        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
        {
            // Lists have thousands of them: what a custom format costs is seen there.
            const int toMilliseconds = 23;
            Span<byte> text = stackalloc byte[28];
            value.UtcDateTime.TryFormat(text, out _, "O", CultureInfo.InvariantCulture);
            text[toMilliseconds] = (byte)'Z';
            writer.WriteStringValue(text[..(toMilliseconds + 1)]);
        }
    }
}
