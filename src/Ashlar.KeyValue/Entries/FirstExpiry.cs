namespace Ashlar.KeyValue.Entries;

/// <summary>Which of several entries that were seen as present expires first, and when.</summary>
/// <param name="Key">Its key; null: none of them expires.</param>
/// <param name="At">Milliseconds since 1970 (UTC).</param>
readonly record struct FirstExpiry(byte[]? Key, long At)
{
    public bool HasPassed(long now) => Key is not null && At <= now;

    /// <summary>The same with one more entry, which expires at a moment; 0: never.</summary>
    public FirstExpiry With(ReadOnlySpan<byte> key, long at) =>
        at == 0 || (Key is not null && At <= at) ? this : new(key.ToArray(), at);
}
