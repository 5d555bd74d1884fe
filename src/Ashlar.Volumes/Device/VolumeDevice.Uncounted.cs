using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

sealed partial class VolumeDevice
{
    /// <summary>Reads as clients do, from where no client asks: it is no access, and counts nowhere.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReadUncountedAsync(long offsetBytes, Memory<byte> destination)
    {
        var (offset, length) = CheckRange(new Lba(offsetBytes / BlockSizeBytes), destination.Length);
        for (long done = 0; done < length;)
        {
            var inLeaf = (int)((offset + done) % MapLayout.LeafBytes);
            var count = (int)Math.Min(MapLayout.LeafBytes - inLeaf, length - done);
            var leaf = await parts.Cache.AcquireAsync(this, (offset + done) / MapLayout.LeafBytes);
            try
            {
                await ReadLeafAsync(leaf, inLeaf, destination.Slice((int)done, count), CancellationToken.None);
            }
            finally
            {
                leaf.Unpin();
            }

            done += count;
        }
    }

    /// <summary>Lets the system forget what its cache has of a piece, wherever that lies: who reads it then sees the medium.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask DropCachedAsync(long offsetBytes, int lengthBytes)
    {
        if (parts.Device is not ICachingDevice cache) return;
        var copy = LeafCopy.Rent();
        try
        {
            var (firstBlock, endBlock) = (offsetBytes / MapLayout.BlockBytes, (offsetBytes + lengthBytes) / MapLayout.BlockBytes);
            while (firstBlock < endBlock)
            {
                var leaf = await parts.Cache.AcquireAsync(this, firstBlock / MapLayout.BlocksPerLeaf);
                var first = (int)(firstBlock % MapLayout.BlocksPerLeaf);
                var end = (int)Math.Min(MapLayout.BlocksPerLeaf, first + endBlock - firstBlock);
                copy.CopyFrom(leaf, first, end - first);
                leaf.Unpin();
                firstBlock += end - first;
                for (var block = first; block < end; block++)
                {
                    if (copy.IsValid(block))
                        cache.DropCached(DeviceLba(copy.OffsetBytes(block)), MapLayout.BlockBytes / cache.Geometry.BlockSizeBytes);
                }
            }
        }
        finally
        {
            copy.Return();
        }
    }
}
