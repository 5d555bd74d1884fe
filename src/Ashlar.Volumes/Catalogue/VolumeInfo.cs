using Ashlar.Blocks;

namespace Ashlar.Volumes;

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

    /// <summary>What clients may ask of it in a second.</summary>
    public RateLimits Limits { get; init; } = RateLimits.None;

    /// <summary>What people say of it.</summary>
    public VolumeAttributes Attributes { get; init; } = VolumeAttributes.None;

    /// <summary>How many snapshots it has.</summary>
    public int SnapshotCount { get; init; }

    /// <summary>The snapshot that it is a clone of and still shares space with: "volume@snapshot"; null for any other volume.</summary>
    public string? Origin { get; init; }

    /// <summary>Whether a stream makes it just now: it has a name that is nobody's, and is none of the user's yet.</summary>
    public bool IsImporting { get; init; }

    /// <summary>Whether it goes back to a snapshot just now: until that is done requests fail.</summary>
    public bool IsRestoring { get; init; }

    /// <summary>The resizing that is under way, or null.</summary>
    public VolumeResize? Resize { get; init; }

    /// <summary>Blocks of 4,096 bytes that were taken as they were found since the pool was opened, because a crash had struck while
    /// they were being overwritten.</summary>
    public long UnverifiedBlocks { get; init; }

    /// <summary>Blocks of 4,096 bytes that requests have met damaged, and nobody has healed.</summary>
    public long DamagedBlocks { get; init; }

    /// <summary>MiB of the volume whose piece of the map requests have met damaged, and nobody has healed.</summary>
    public long DamagedMapPieces { get; init; }

    internal static VolumeInfo Of(VolumeDevice volume)
    {
        var damage = volume.Damage;
        return new(
            volume.Record.Id,
            volume.Record.Name,
            volume.SizeBytes,
            volume.BlockSizeBytes,
            volume.AllocatedBytes,
            volume.Record.CreatedAt)
        {
            IsThick = volume.IsThick,
            IsRestoring = volume.IsRestoring,
            Limits = volume.Record.Limits,
            Attributes = volume.Record.Attributes,
            Resize = volume.Resizing?.ToFacts(),
            UnverifiedBlocks = volume.UnverifiedBlocks,
            DamagedBlocks = damage.Blocks,
            DamagedMapPieces = damage.MapPieces,
        };
    }
}
