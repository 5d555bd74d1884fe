using System.Runtime.CompilerServices;
using Ashlar.Blocks;

namespace Ashlar.Volumes;

sealed partial class ThinVolume
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (offset, length) = CheckRange(start, destination.Length);
        try
        {
            for (long done = 0; done < length;)
            {
                var inLeaf = (int)((offset + done) % MapLayout.LeafBytes);
                var count = (int)Math.Min(MapLayout.LeafBytes - inLeaf, length - done);
                var leaf = Pool.Cache.Acquire(this, (offset + done) / MapLayout.LeafBytes);
                try
                {
                    await ReadLeafAsync(leaf, inLeaf, destination.Slice((int)done, count), cancellationToken);
                }
                finally
                {
                    leaf.Unpin();
                }

                done += count;
            }
        }
        catch
        {
            counters.Failed();
            throw;
        }

        counters.HasRead(length);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask ReadLeafAsync(Leaf leaf, int offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var snapshot = LeafSnapshot.Rent();
        try
        {
            var end = offset + destination.Length;
            var inBlock = offset % MapLayout.BlockBytes;
            if (inBlock != 0 || destination.Length < MapLayout.BlockBytes)
            {
                var count = Math.Min(MapLayout.BlockBytes - inBlock, destination.Length);
                var edge = snapshot.Edges.AsMemory(0, MapLayout.BlockBytes);
                await ReadBlocksAsync(leaf, snapshot, offset / MapLayout.BlockBytes, edge, cancellationToken);
                edge.Slice(inBlock, count).CopyTo(destination);
                offset += count;
                destination = destination[count..];
            }

            var whole = destination.Length / MapLayout.BlockBytes * MapLayout.BlockBytes;
            if (whole > 0)
                await ReadBlocksAsync(leaf, snapshot, offset / MapLayout.BlockBytes, destination[..whole], cancellationToken);
            if (whole < destination.Length)
            {
                var edge = snapshot.Edges.AsMemory(0, MapLayout.BlockBytes);
                await ReadBlocksAsync(leaf, snapshot, end / MapLayout.BlockBytes, edge, cancellationToken);
                edge[..(destination.Length - whole)].CopyTo(destination[whole..]);
            }
        }
        finally
        {
            snapshot.Return();
        }
    }

    // Reads without a lock, and looks afterwards whether the places were still the volume's own: if none was removed meanwhile,
    // none was given to anyone else. A checksum that does not hold may mean that the block was just being overwritten: it is
    // read once more under the write lock, when no write is under way, and only then it is damage.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask ReadBlocksAsync(
        Leaf leaf,
        LeafSnapshot snapshot,
        int firstBlock,
        Memory<byte> destination,
        CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            snapshot.CopyFrom(leaf, firstBlock, destination.Length / MapLayout.BlockBytes);
            var damaged = await ReadRunsAsync(snapshot, firstBlock, destination, cancellationToken);
            if (damaged >= 0) break;
            lock (leaf)
                if (leaf.Removals == snapshot.Removals) return;
        }

        await leaf.WriteLock.EnterAsync();
        try
        {
            await ReadBlocksLockedAsync(leaf, snapshot, firstBlock, destination, cancellationToken);
        }
        finally
        {
            leaf.WriteLock.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask ReadBlocksLockedAsync(
        Leaf leaf,
        LeafSnapshot snapshot,
        int firstBlock,
        Memory<byte> destination,
        CancellationToken cancellationToken)
    {
        snapshot.CopyFrom(leaf, firstBlock, destination.Length / MapLayout.BlockBytes);
        var damaged = await ReadRunsAsync(snapshot, firstBlock, destination, cancellationToken);
        if (damaged < 0) return;
        var data = destination.Span.Slice((damaged - firstBlock) * MapLayout.BlockBytes, MapLayout.BlockBytes);
        throw Corrupt(
            leaf,
            damaged,
            snapshot.OffsetBytes(damaged),
            snapshot.Checksums[damaged],
            snapshot.ComputeChecksum(damaged, data));
    }

    /// <summary>Fills the destination run by run; gives the first block that fails its checksum, or -1.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    async ValueTask<int> ReadRunsAsync(LeafSnapshot snapshot, int firstBlock, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var end = firstBlock + (destination.Length / MapLayout.BlockBytes);
        for (var block = firstBlock; block < end;)
        {
            var at = (block - firstBlock) * MapLayout.BlockBytes;
            if (!snapshot.IsValid(block))
            {
                var next = block + 1;
                while (next < end && !snapshot.IsValid(next)) next++;
                destination.Span.Slice(at, (next - block) * MapLayout.BlockBytes).Clear();
                block = next;
                continue;
            }

            var runEnd = snapshot.ContiguousEnd(block, end, validOnly: true);
            var run = destination.Slice(at, (runEnd - block) * MapLayout.BlockBytes);
            await Pool.Device.ReadAsync(Pool.DeviceLba(snapshot.OffsetBytes(block)), run, cancellationToken);
            if (Verify(snapshot, block, run.Span) is >= 0 and var damaged) return damaged;
            block = runEnd;
        }

        return -1;
    }

    int Verify(LeafSnapshot snapshot, int firstBlock, ReadOnlySpan<byte> data)
    {
        if (Pool.Options.Has(PlantedBugs.IgnoreChecksum)) return -1;
        for (var block = firstBlock; !data.IsEmpty; block++, data = data[MapLayout.BlockBytes..])
            if (snapshot.ComputeChecksum(block, data[..MapLayout.BlockBytes]) != snapshot.Checksums[block]) return block;
        return -1;
    }
}
