using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Api;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>A line of the log as JSON: the entry, with its time in front.</summary>
sealed record LogLine
{
    public required string Time { get; init; }

    public required string Level { get; init; }

    public required string Event { get; init; }

    public required string Message { get; init; }

    public string? Pool { get; init; }

    public string? Volume { get; init; }

    public string? Protocol { get; init; }

    public string? Client { get; init; }

    public string? Address { get; init; }

    public long? SizeBytes { get; init; }

    /// <summary>One line without its end, whatever the message holds: no client writes lines of its own.</summary>
    public static string Format(LogEntry entry, DateTimeOffset time, LogFormat format) => format == LogFormat.Json
        ? JsonSerializer.Serialize(Of(entry, time), LogLineJson.Relaxed.LogLine)
        : $"{Rfc3339.Format(time)} {NameOf(entry.Level).ToUpperInvariant()} {OneLine(entry.Message)}";

    static LogLine Of(LogEntry entry, DateTimeOffset time) => new()
    {
        Time = Rfc3339.Format(time),
        Level = NameOf(entry.Level),
        Event = entry.Event,
        Message = entry.Message,
        Pool = entry.Pool,
        Volume = entry.Volume,
        Protocol = entry.Protocol,
        Client = entry.Client,
        Address = entry.Address,
        SizeBytes = entry.SizeBytes,
    };

    static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        _ => "error",
    };

    static string OneLine(string message) => string.Create(message.Length, message, static (target, source) =>
    {
        for (var i = 0; i < target.Length; i++) target[i] = char.IsControl(source[i]) ? ' ' : source[i];
    });
}

[JsonSerializable(typeof(LogLine))]
sealed partial class LogLineJson : JsonSerializerContext
{
    // Quotes and letters of other languages stay readable; the log never becomes part of a page.
    public static LogLineJson Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
