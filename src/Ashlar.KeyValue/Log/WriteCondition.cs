namespace Ashlar.KeyValue.Log;

/// <summary>What a key has to hold when a write takes effect.</summary>
/// <param name="Key">The key.</param>
/// <param name="Sequence">Sequence of the put that makes it present; 0: it is absent.</param>
/// <param name="ExpiresAt">When that put expires, as far as that is known; 0: never.</param>
readonly record struct WriteCondition(byte[] Key, ulong Sequence, long ExpiresAt);
