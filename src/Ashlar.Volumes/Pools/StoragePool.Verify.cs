using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    const int MaxProblems = 1000;

    /// <summary>
    /// Commits, then walks all leaves and compares them with free space and usage: no chunk leaked, none owned twice. With
    /// <paramref name="readData"/> every block is read and compared with its checksum as well. Everything else goes on meanwhile.
    /// </summary>
    public async ValueTask<PoolVerification> VerifyAsync(bool readData = false, CancellationToken cancellationToken = default)
    {
        await CommitAsync();
        MapWalk walk;
        using (var snapshot = Store.CreateSnapshot())
        {
            walk = MapWalk.Run(snapshot, Space, Name, cancellationToken);
            walk.Compare(snapshot);
        }

        long blocks = 0;
        if (readData)
            foreach (var volume in Catalogue.Volumes) blocks += await ReadAllAsync(volume, walk.Problems, cancellationToken);
        return new PoolVerification(walk.Leaves, walk.Chunks, blocks, walk.Problems);
    }

    static async ValueTask<long> ReadAllAsync(VolumeDevice volume, List<string> problems, CancellationToken cancellationToken)
    {
        long blocksRead = 0;
        var extents = new BlockExtent[256];
        var buffer = new byte[MapLayout.ChunkBytes];
        for (long block = 0, end = volume.Geometry.BlockCount; block < end;)
        {
            var count = volume.DescribeExtents(new Lba(block), end - block, extents);
            foreach (var extent in extents.AsSpan(0, count).ToArray())
            {
                if (extent.Kind == BlockExtentKind.Data)
                    blocksRead += await ReadRunAsync(volume, block, extent.BlockCount, buffer, problems, cancellationToken);
                block += extent.BlockCount;
            }
        }

        return blocksRead;
    }

    static async ValueTask<long> ReadRunAsync(
        VolumeDevice volume, long first, long count, byte[] buffer, List<string> problems, CancellationToken cancellationToken)
    {
        var step = buffer.Length / volume.BlockSizeBytes;
        for (var block = first; block < first + count; block += step)
        {
            var part = (int)Math.Min(step, first + count - block) * volume.BlockSizeBytes;
            try
            {
                await volume.ReadAsync(new Lba(block), buffer.AsMemory(0, part), cancellationToken);
            }
            catch (Exception problem) when (problem is CorruptDataException or BlockDeviceException && problems.Count < MaxProblems)
            {
                problems.Add(problem.Message);
            }
        }

        return count * volume.BlockSizeBytes / MapLayout.BlockBytes;
    }
}
