using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>What a verification looked at and found.</summary>
public sealed record VerificationReport
{
    /// <summary>Tables that were read.</summary>
    public int Tables { get; init; }

    /// <summary>Log segments that were read.</summary>
    public int LogSegments { get; init; }

    /// <summary>Entries in the tables.</summary>
    public long Entries { get; init; }

    /// <summary>Values in segments that tables refer to; each was read.</summary>
    public long SeparatedValues { get; init; }

    /// <summary>Segments that these values lie in; of each the heads and keys of all entries were read.</summary>
    public int ValueSegments { get; init; }

    /// <summary>What is wrong; empty for a sound store.</summary>
    public IReadOnlyList<CorruptDataException> Problems { get; init; } = [];

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsClean => Problems.Count == 0;
}
