namespace Ashlar.Files;

/// <summary>How files are cut into blocks, and blocks into what is verified at once.</summary>
public static class BlockGeometry
{
    /// <summary>No block is longer; all but the last one of what was uploaded at once are as long.</summary>
    public const int MaxLengthBytes = 64 << 20;

    /// <summary>
    /// What has a checksum of its own: a SHA-256 of 64 MiB verifies nothing less than 64 MiB, and ranges that are read are shorter.
    /// </summary>
    public const int UnitBytes = 64 << 10;

    /// <summary>Units of a block; the last one may be shorter.</summary>
    public static int UnitsOf(long blockBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(blockBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockBytes, MaxLengthBytes);
        return (int)((blockBytes + UnitBytes - 1) / UnitBytes);
    }
}
