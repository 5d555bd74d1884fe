using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>A volume to be created.</summary>
public sealed record VolumeOptions
{
    /// <summary>Size in bytes, a multiple of the block size; at least one block.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>512 or 4096.</summary>
    public int BlockSizeBytes { get; init; } = 512;

    /// <summary>
    /// Whether all space is taken at creation and kept, in the pool and on the disk below: writes never wait for an allocation
    /// and never run out of space, and discarding gives nothing back.
    /// </summary>
    public bool IsThick { get; init; }

    /// <summary>What clients may ask of it in a second: kept with the volume, for whoever serves it to enforce.</summary>
    public RateLimits Limits { get; init; } = RateLimits.None;

    /// <summary>What people say of it.</summary>
    public VolumeAttributes Attributes { get; init; } = VolumeAttributes.None;
}
