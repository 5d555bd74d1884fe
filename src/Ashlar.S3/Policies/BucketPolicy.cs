using System.Text.Json;

namespace Ashlar.S3;

/// <summary>
/// A bucket policy as far as it is supported: what anybody may read. Whatever says more is refused when it is set, and not taken for
/// something else when it is read.
/// </summary>
sealed class BucketPolicy
{
    public const string Property = "s3-policy";
    public const int MaxBytes = 10 << 10;

    public const string GetObject = "s3:GetObject";
    public const string ListBucket = "s3:ListBucket";

    const string ArnBeginning = "arn:aws:s3:::";
    const int MaxStatements = 50, MaxDepth = 8;

    // Each pair once: 10 KiB of a policy name no more than can be looked at for every request of anybody.
    readonly HashSet<(string Action, string Resource)> allowed = [];
    readonly List<(string Action, ResourcePattern Resource)> rules = [];

    /// <summary>Reads a policy.</summary>
    /// <exception cref="S3Exception">It cannot be read, or says what is not supported.</exception>
    public static BucketPolicy Parse(string bucket, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = MaxDepth });
            var policy = new BucketPolicy();
            var root = document.RootElement;
            Allow(root, "Version", "Id", "Statement");
            if (Field(root, "Version") is { } version && version.GetString() is not ("2012-10-17" or "2008-10-17"))
                throw Malformed("the version is not known");
            var statements = Many(Field(root, "Statement") ?? throw Malformed("it has no Statement"));
            if (statements.Length is 0 or > MaxStatements) throw Malformed($"it has no statement, or more than {MaxStatements}");
            foreach (var statement in statements) policy.Add(bucket, statement);
            return policy;
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            throw new S3Exception(S3Error.MalformedPolicy, S3Error.MalformedPolicy.Message, bad);
        }
    }

    /// <summary>Whether anybody may do this.</summary>
    /// <param name="action">What.</param>
    /// <param name="bucket">With which bucket.</param>
    /// <param name="key">With which object; empty for the bucket itself.</param>
    public bool Allows(string action, string bucket, string key)
    {
        var resource = ArnBeginning + bucket + (key.Length == 0 ? "" : "/" + key);
        return rules.Exists(rule => rule.Action == action && rule.Resource.Matches(resource));
    }

    void Add(string bucket, JsonElement statement)
    {
        Allow(statement, "Sid", "Effect", "Principal", "Action", "Resource");
        if (Text(statement, "Effect") != "Allow") throw Unsupported("statements that deny");
        var principal = Field(statement, "Principal") ?? throw Malformed("a statement has no Principal");
        if (principal.ValueKind == JsonValueKind.Object)
        {
            Allow(principal, "AWS");
            principal = Field(principal, "AWS") ?? throw Malformed("a principal is empty");
        }

        if (Many(principal).Select(one => one.GetString()).SingleOrDefault() != "*") throw Unsupported("principals other than *");
        var actions = Texts(statement, "Action");
        foreach (var action in actions)
        {
            if (action is not (GetObject or ListBucket)) throw Unsupported($"actions other than {GetObject} and {ListBucket}");
        }

        foreach (var resource in Texts(statement, "Resource"))
        {
            var own = ArnBeginning + bucket;
            if (resource != own && !resource.StartsWith(own + "/", StringComparison.Ordinal))
                throw Malformed($"a resource is not of the bucket: it has to be {own} or to begin with {own}/");
            foreach (var action in actions)
            {
                if (allowed.Add((action, resource))) rules.Add((action, new(resource)));
            }
        }
    }

    static JsonElement[] Many(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [element];

    static JsonElement? Field(JsonElement element, string name) => element.TryGetProperty(name, out var field) ? field : null;

    static string Text(JsonElement element, string name) =>
        Field(element, name)?.GetString() ?? throw Malformed($"a statement has no {name}");

    static string[] Texts(JsonElement element, string name)
    {
        var texts = Many(Field(element, name) ?? throw Malformed($"a statement has no {name}")).Select(one => one.GetString()
            ?? "").ToArray();
        return texts.Length > 0 ? texts : throw Malformed($"{name} is empty");
    }

    static void Allow(JsonElement element, params ReadOnlySpan<string> names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in element.EnumerateObject())
        {
            if (!names.Contains(field.Name)) throw Unsupported(field.Name);
            if (!seen.Add(field.Name)) throw Malformed($"{field.Name} is there twice");
        }
    }

    static S3Exception Malformed(string why) => S3Error.MalformedPolicy.Because($"The policy cannot be read: {why}.");

    static S3Exception Unsupported(string what) =>
        S3Error.NotImplemented.Because($"Policies can make objects readable by anybody, and no more: {what} are not supported.");
}
