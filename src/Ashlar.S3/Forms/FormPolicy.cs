using System.Globalization;
using System.Text.Json;

namespace Ashlar.S3;

/// <summary>The policy of a form: what may be sent with it, and until when. What it does not speak of may not be sent.</summary>
sealed class FormPolicy
{
    const int MaxConditions = 100, MaxDepth = 8;

    // ISO 8601, of UTC; a time that could be read in two ways is none.
    static readonly string[] TimeFormats = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];

    // Fields that need no condition: the policy itself, and its signature.
    static readonly string[] Free = ["policy", "x-amz-signature", "file"];

    readonly List<(string Kind, string Field, string Value)> conditions = [];

    FormPolicy(DateTimeOffset expiresAt) => ExpiresAt = expiresAt;

    public DateTimeOffset ExpiresAt { get; }

    /// <summary>Least and most bytes of the content.</summary>
    public (long Least, long Most) Length { get; private set; } = (0, long.MaxValue);

    /// <summary>Reads a policy.</summary>
    /// <exception cref="S3Exception">It is none.</exception>
    public static FormPolicy Parse(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = MaxDepth });
            var root = document.RootElement;
            if (!root.TryGetProperty("expiration", out var expiration)
                || !DateTimeOffset.TryParseExact(
                    expiration.GetString(), TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expiresAt))
            {
                throw Malformed("it has no expiration, or none that can be read");
            }

            var policy = new FormPolicy(expiresAt);
            if (!root.TryGetProperty("conditions", out var conditions)) throw Malformed("it has no conditions");
            foreach (var condition in conditions.EnumerateArray())
            {
                if (policy.conditions.Count == MaxConditions) throw Malformed($"it has more than {MaxConditions} conditions");
                policy.Add(condition);
            }

            return policy;
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new S3Exception(new("InvalidPolicyDocument", 400, ""), "The policy cannot be read.", bad);
        }
    }

    /// <summary>Whether all fields of a form are as it says, and none is there that it does not speak of.</summary>
    /// <exception cref="S3Exception">One is not.</exception>
    public void Require(IReadOnlyDictionary<string, string> fields)
    {
        foreach (var (kind, field, value) in conditions)
        {
            var sent = fields.GetValueOrDefault(field, "");
            var holds = kind == "eq" ? sent == value : sent.StartsWith(value, StringComparison.Ordinal);
            if (!holds) throw Denied($"the condition on {field} does not hold");
        }

        foreach (var field in fields.Keys)
        {
            if (Free.Contains(field) || field.StartsWith("x-ignore-", StringComparison.Ordinal)) continue;
            if (!conditions.Exists(condition => condition.Field == field)) throw Denied($"the field {field} is not in the policy");
        }
    }

    public static S3Exception Denied(string why) => S3Error.AccessDenied.Because($"The policy of the form forbids this: {why}.");

    void Add(JsonElement condition)
    {
        if (condition.ValueKind == JsonValueKind.Object)
        {
            if (!condition.EnumerateObject().Any()) throw Malformed("a condition is empty");
            foreach (var field in condition.EnumerateObject()) conditions.Add(("eq", field.Name.ToLowerInvariant(), field.Value.GetString()
                ?? ""));
            return;
        }

        var parts = condition.EnumerateArray().ToArray();
        if (parts.Length != 3) throw Malformed("a condition has not three parts");
        var kind = parts[0].GetString()?.ToLowerInvariant();
        if (kind == "content-length-range")
        {
            Length = (Math.Max(Length.Least, Number(parts[1])), Math.Min(Length.Most, Number(parts[2])));
            return;
        }

        var name = parts[1].GetString() ?? "";
        if (kind is not ("eq" or "starts-with") || !name.StartsWith('$')) throw Malformed("a condition is not known");
        conditions.Add((kind, name[1..].ToLowerInvariant(), parts[2].GetString() ?? ""));
    }

    static long Number(JsonElement element) => element.ValueKind == JsonValueKind.String
        ? long.Parse(element.GetString()!, NumberStyles.None, CultureInfo.InvariantCulture)
        : element.GetInt64();

    static S3Exception Malformed(string why) => new(new("InvalidPolicyDocument", 400, ""), $"The policy cannot be read: {why}.");
}
