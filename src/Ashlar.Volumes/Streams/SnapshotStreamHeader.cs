namespace Ashlar.Volumes;

/// <summary>What a stream says of itself.</summary>
/// <param name="VolumeId">The volume that the snapshot was taken of.</param>
/// <param name="SnapshotId">Identity of the snapshot; it stays the same on every pool that the stream gets to.</param>
/// <param name="ParentId">The snapshot that it begins at; null when it holds all.</param>
/// <param name="Name">Name of the snapshot.</param>
/// <param name="ParentName">What the snapshot that it begins at was called; empty when it holds all.</param>
/// <param name="CreatedAt">When the snapshot was taken.</param>
/// <param name="SizeBytes">Size of the volume at that time.</param>
/// <param name="BlockSizeBytes">512 or 4096.</param>
public sealed record SnapshotStreamHeader(
    Guid VolumeId,
    Guid SnapshotId,
    Guid? ParentId,
    string Name,
    string ParentName,
    DateTimeOffset CreatedAt,
    long SizeBytes,
    int BlockSizeBytes);
