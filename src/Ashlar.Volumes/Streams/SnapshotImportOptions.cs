namespace Ashlar.Volumes;

/// <summary>What the import of a snapshot may do.</summary>
public sealed record SnapshotImportOptions
{
    /// <summary>Whether what was written to the volume since the snapshot that the stream begins at may be lost.</summary>
    public bool MayRevert { get; init; }

    /// <summary>Size of the largest volume that is taken.</summary>
    public long MaxSizeBytes { get; init; } = StoragePool.MaxVolumeBytes;
}
