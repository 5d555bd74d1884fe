using System.Text.Json;

namespace Ashlar.Server;

/// <summary>Says in plain words why a body was not taken; the parser speaks of types that only this program knows.</summary>
static class JsonProblems
{
    public static string Describe(JsonException error)
    {
        if (Between(error.Message, "The JSON property '", "' could not be mapped") is { } unknown)
            return $"'{unknown}' is not a member of this object";
        if (Between(error.Message, "was missing required properties including: ", ".") is { } missing) return $"missing: {missing}";
        if (Between(error.Message, "Duplicate property '", "' encountered") is { } repeated) return $"'{repeated}' is given twice";
        return error.InnerException is JsonException // The reader's: what it read is no JSON.
            ? $"the body is not valid JSON{Where(error)}"
            : $"the value{At(error)} is not of the kind that belongs there";
    }

    static string? Between(string message, string before, string after)
    {
        var start = message.IndexOf(before, StringComparison.Ordinal);
        if (start < 0) return null;
        start += before.Length;
        var end = message.LastIndexOf(after, StringComparison.Ordinal);
        return end < start ? null : message[start..end];
    }

    static string At(JsonException error) =>
        error.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal) ? $" of '{path[2..]}'" : "";

    static string Where(JsonException error) =>
        error is { LineNumber: { } line, BytePositionInLine: { } position } ? $": line {line + 1}, byte {position + 1}" : "";
}
