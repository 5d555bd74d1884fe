namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Keys of the model from one to another, which is not among them.</summary>
readonly record struct KeySpan(string Start, string End)
{
    public bool Contains(string key) => string.CompareOrdinal(key, Start) >= 0 && string.CompareOrdinal(key, End) < 0;

    public bool Overlaps(KeySpan other) =>
        string.CompareOrdinal(Start, other.End) < 0 && string.CompareOrdinal(other.Start, End) < 0;
}
