using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Counts what cannot be read, and reports each block once.</summary>
sealed class DamageLog(PoolEvents events)
{
    long blocks, maps;

    /// <summary>Requests that met a block which fails its checksum.</summary>
    public long Blocks => Interlocked.Read(ref blocks);

    /// <summary>Requests that met a piece of the map which cannot be read.</summary>
    public long Maps => Interlocked.Read(ref maps);

    public void CountMap() => Interlocked.Increment(ref maps);

    public void Add(VolumeDevice volume, long lba, CorruptDataException error)
    {
        Interlocked.Increment(ref blocks);
        events.ReportOnce(
            PoolEventKind.DamagedBlock,
            PoolEventSeverity.Error,
            $"{volume.Lineage}/{lba * volume.BlockSizeBytes / MapLayout.BlockBytes}",
            $"damaged data, which fails until its 4,096 bytes are written as a whole: {error.Message}",
            volume.Record.Name,
            error);
    }
}
