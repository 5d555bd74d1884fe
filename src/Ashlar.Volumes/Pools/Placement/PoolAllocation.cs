using Ashlar.Blocks;
using Ashlar.Blocks.Raid;

namespace Ashlar.Volumes;

/// <summary>
/// Tells the RAID set below a pool with its metadata on the device what of it is in use. Until it knows the pool, all is.
/// </summary>
/// <remarks>
/// A chunk that is free belongs to no leaf that any crash brings back, and before it is written to it is taken, under the lock that is
/// asked here. Metadata count as in use as a whole.
/// </remarks>
public sealed class PoolAllocation : IAllocatedRanges
{
    StoragePool? pool;

    /// <summary>From now on it knows.</summary>
    public void Attach(StoragePool opened)
    {
        ArgumentNullException.ThrowIfNull(opened);
        Volatile.Write(ref pool, opened);
    }

    /// <inheritdoc />
    public bool IsAllocated(Lba start, long blockCount)
    {
        if (Volatile.Read(ref pool) is not { } known || known.FindPlacement() is not { } placement) return true;
        var blockBytes = known.Parts.Device.Geometry.BlockSizeBytes;
        var first = start.Value * blockBytes / MapLayout.ChunkBytes;
        var end = (((start.Value + blockCount) * blockBytes) + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes;
        if (first < MapLayout.ReservedChunks) return true;
        var (at, poolChunk) = ((long)MapLayout.ReservedChunks, (long)MapLayout.ReservedChunks);
        foreach (var (metadata, data) in placement.Segments)
        {
            if (first < at + metadata && end > at) return true;
            at += metadata;
            var (from, to) = (Math.Max(first, at), Math.Min(end, at + data));
            if (from < to && known.Space.IsAnyTaken(poolChunk + from - at, to - from)) return true;
            at += data;
            poolChunk += data;
        }

        return false;
    }
}
