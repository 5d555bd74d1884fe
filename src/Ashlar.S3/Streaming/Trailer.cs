using System.Text;

namespace Ashlar.S3;

/// <summary>Fields that follow the chunks of a body: those that the request has announced, and no others.</summary>
sealed class Trailer
{
    public const string SignatureName = "x-amz-trailer-signature";

    const int MaxFields = 16;

    readonly HashSet<string> announced;
    readonly Dictionary<string, string> fields = new(StringComparer.Ordinal);
    readonly StringBuilder canonical = new();

    /// <summary>Begins it with the value of the header x-amz-trailer.</summary>
    public Trailer(string? announcement)
    {
        announced = (announcement ?? "")
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(name => name.ToLowerInvariant())
            .ToHashSet(StringComparer.Ordinal);
        if (announced.Count > MaxFields) throw S3Error.MalformedTrailer.Exception();
    }

    /// <summary>Names of what is to come.</summary>
    public IReadOnlyCollection<string> Announced => announced;

    /// <summary>As it is signed.</summary>
    public string Canonical => canonical.ToString();

    public string? Find(string name) => fields.GetValueOrDefault(name);

    public void Add(string name, string value)
    {
        if (!announced.Contains(name) || !fields.TryAdd(name, value)) throw S3Error.MalformedTrailer.Exception();
        canonical.Append(name).Append(':').Append(value).Append('\n');
    }

    public void RequireComplete()
    {
        if (fields.Count != announced.Count) throw S3Error.MalformedTrailer.Exception();
    }
}
