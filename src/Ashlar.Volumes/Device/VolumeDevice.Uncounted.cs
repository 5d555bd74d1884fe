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
}
