using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.CommandLine;

/// <summary>
/// Moments of commits: to the microsecond, as they are stored. Less would name a moment before the commit, and a store that is restored to
/// it would be without that write.
/// </summary>
static class CommitTimes
{
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Writes them so in JSON.</summary>
    public sealed class Converter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Timestamp.Parse(reader.GetString() ?? "");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Format(value));
    }
}
