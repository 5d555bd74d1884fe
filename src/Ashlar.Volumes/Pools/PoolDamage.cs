namespace Ashlar.Volumes;

/// <summary>
/// What of a pool cannot be read, as far as requests met it since the pool was opened. What was written or discarded as a whole is
/// well again and no longer among it.
/// </summary>
/// <param name="Blocks">Blocks of 4,096 bytes that fail their checksum.</param>
/// <param name="MapPieces">MiB of volumes whose piece of the map cannot be read.</param>
/// <param name="First">Those of them that were met first: where each is, and what ends it.</param>
public sealed record PoolDamage(long Blocks, long MapPieces, IReadOnlyList<string> First);
