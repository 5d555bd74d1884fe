namespace Ashlar.Volumes;

/// <summary>A volume to be created.</summary>
public sealed record VolumeOptions
{
    /// <summary>Size in bytes, a multiple of the block size; at least one block.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>512 or 4096.</summary>
    public int BlockSizeBytes { get; init; } = 512;

    /// <summary>
    /// Whether all space is taken at creation and kept: writes never wait for an allocation and never run out of space, and
    /// discarding gives nothing back.
    /// </summary>
    public bool IsThick { get; init; }
}

/// <summary>Facts of a volume.</summary>
/// <param name="Id">Identity that never changes and is never reused.</param>
/// <param name="Name">Unique within the pool.</param>
/// <param name="SizeBytes">What clients see.</param>
/// <param name="BlockSizeBytes">512 or 4096.</param>
/// <param name="AllocatedBytes">Space of the pool that the volume occupies.</param>
/// <param name="CreatedAt">When it was created.</param>
public sealed record VolumeInfo(
    Guid Id,
    string Name,
    long SizeBytes,
    int BlockSizeBytes,
    long AllocatedBytes,
    DateTimeOffset CreatedAt)
{
    /// <summary>Whether all of its space was taken at creation.</summary>
    public bool IsThick { get; init; }
}

/// <summary>The volume was deleted while its device was in use.</summary>
public sealed class VolumeDeletedException(string device)
    : Blocks.BlockDeviceException(device, "the volume was deleted");
