namespace Ashlar.Volumes;

/// <summary>Facts of a snapshot.</summary>
/// <param name="Id">Identity that never changes and is never reused.</param>
/// <param name="VolumeId">The volume that it was taken of.</param>
/// <param name="Name">Unique among the snapshots of the volume.</param>
/// <param name="SizeBytes">Size of the volume at that time.</param>
/// <param name="BlockSizeBytes">512 or 4096.</param>
/// <param name="CreatedAt">When it was taken.</param>
/// <param name="Generation">Its place among all snapshots of the pool: a larger number is younger; those taken at one instant share
/// it.</param>
public sealed record SnapshotInfo(
    Guid Id,
    Guid VolumeId,
    string Name,
    long SizeBytes,
    int BlockSizeBytes,
    DateTimeOffset CreatedAt,
    long Generation)
{
    /// <summary>Names of the volumes that are clones of it and still need it.</summary>
    public IReadOnlyList<string> Clones { get; init; } = [];

    /// <summary>Whether it was deleted and is only kept for its clones.</summary>
    public bool IsDeleted { get; init; }
}
