namespace Ashlar.KeyValue;

/// <summary>What a store knows of an entry that is present, beside its value.</summary>
/// <param name="Sequence">
/// Sequence of the write that put it, 1 or larger. While the store is open no two writes have the same, so an entry whose sequence is the
/// same is unchanged. Sequences of writes that a power cut took, or that an older backup does not have, are given to others later: one that
/// is kept beyond that tells something only if it was durable (<see cref="KeyValueStore.WaitDurableAsync"/>) and no older backup was
/// restored since.
/// </param>
/// <param name="ExpiresAt">The moment from which on the key reads as absent; null if it does not expire.</param>
public readonly record struct KeyValueEntryInfo(ulong Sequence, DateTimeOffset? ExpiresAt)
{
    internal static KeyValueEntryInfo Of(ulong sequence, long expiresAt) =>
        new(sequence, expiresAt == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(expiresAt));
}
