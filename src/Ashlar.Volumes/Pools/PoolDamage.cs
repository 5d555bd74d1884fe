namespace Ashlar.Volumes;

/// <summary>
/// What of a pool cannot be read, as far as requests met it, also before it was last opened. What was written or discarded as a whole is
/// well again and no longer among it.
/// </summary>
/// <param name="Blocks">Blocks of 4,096 bytes that fail their checksum.</param>
/// <param name="MapPieces">MiB of volumes whose piece of the map cannot be read.</param>
/// <param name="First">Those of them that were met first: where each is, and what ends it.</param>
public sealed record PoolDamage(long Blocks, long MapPieces, IReadOnlyList<string> First)
{
    /// <summary>Names of the volumes that the blocks belong to.</summary>
    public IReadOnlyList<string> VolumesWithBlocks { get; init; } = [];

    /// <summary>Names of the volumes that the pieces of the map belong to.</summary>
    public IReadOnlyList<string> VolumesWithMapPieces { get; init; } = [];

    /// <summary>Names of all of them.</summary>
    public IReadOnlyList<string> Volumes =>
        [.. VolumesWithBlocks.Union(VolumesWithMapPieces, StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Whether more was met than is remembered, and counted here: 10,000 blocks and pieces.</summary>
    public bool IsCut { get; init; }
}

/// <summary>A part of a volume that cannot be read.</summary>
/// <param name="OffsetBytes">Where it begins.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="IsMap">Whether it is its piece of the map that is damaged, and not the data.</param>
public sealed record DamagedRange(long OffsetBytes, long LengthBytes, bool IsMap);
