using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

sealed partial class VolumeDevice
{
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var (offset, length) = CheckRange(start, destination.Length);
            Accesses.CountRead(offset, length);
            for (long done = 0; done < length;)
            {
                var inLeaf = (int)((offset + done) % MapLayout.LeafBytes);
                var count = (int)Math.Min(MapLayout.LeafBytes - inLeaf, length - done);
                var leaf = await parts.Cache.AcquireAsync(this, (offset + done) / MapLayout.LeafBytes);
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

            if (AsOf is not null) ThrowIfUnusable(); // What was kept for a snapshot that is deleted goes, and would look like zeros.
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountRead(destination.Length);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadLeafAsync(Leaf leaf, int offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ThrowIfDamaged(leaf);
        var copy = LeafCopy.Rent();
        try
        {
            var end = offset + destination.Length;
            var inBlock = offset % MapLayout.BlockBytes;
            if (inBlock != 0 || destination.Length < MapLayout.BlockBytes)
            {
                var count = Math.Min(MapLayout.BlockBytes - inBlock, destination.Length);
                var edge = copy.Edges.AsMemory(0, MapLayout.BlockBytes);
                await ReadBlocksAsync(leaf, copy, offset / MapLayout.BlockBytes, edge, cancellationToken);
                edge.Slice(inBlock, count).CopyTo(destination);
                offset += count;
                destination = destination[count..];
            }

            var whole = destination.Length / MapLayout.BlockBytes * MapLayout.BlockBytes;
            if (whole > 0)
                await ReadBlocksAsync(leaf, copy, offset / MapLayout.BlockBytes, destination[..whole], cancellationToken);
            if (whole < destination.Length)
            {
                var edge = copy.Edges.AsMemory(0, MapLayout.BlockBytes);
                await ReadBlocksAsync(leaf, copy, end / MapLayout.BlockBytes, edge, cancellationToken);
                edge[..(destination.Length - whole)].CopyTo(destination[whole..]);
            }
        }
        finally
        {
            copy.Return();
        }
    }

    // Where an earlier life was overwriting, under the write lock: what the cache shows of such a block need not be what the medium holds,
    // and a checksum that was spilled may agree with the cache. Elsewhere reads without a lock, and looks afterwards whether the places
    // were still the volume's own: if none was removed meanwhile, none was given to anyone else. A checksum that does not hold may mean
    // that the block was just being overwritten: it is read once more under the write lock, when no write is under way, and only then
    // it is judged.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadBlocksAsync(Leaf leaf, LeafCopy copy, int firstBlock, Memory<byte> destination, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 3 && !HasSuspect(leaf, firstBlock, destination.Length / MapLayout.BlockBytes); attempt++)
        {
            copy.CopyFrom(leaf, firstBlock, destination.Length / MapLayout.BlockBytes);
            try
            {
                if (await ReadRunsAsync(copy, firstBlock, destination, cancellationToken) >= 0) break;
            }
            catch (Exception e) when (e is BlockDeviceException or ObjectDisposedException && HasRemoved(leaf, copy))
            {
                continue; // They lie elsewhere now: their device may have left the pool since.
            }

            if (!HasRemoved(leaf, copy)) return;
        }

        await leaf.WriteLock.EnterAsync();
        try
        {
            ThrowIfDamaged(leaf);
            copy.CopyFrom(leaf, firstBlock, destination.Length / MapLayout.BlockBytes);
            await ReadLockedAsync(leaf, copy, firstBlock, destination, cancellationToken);
        }
        finally
        {
            leaf.WriteLock.Exit();
        }
    }

    static bool HasRemoved(Leaf leaf, LeafCopy copy)
    {
        lock (leaf) return leaf.Removals != copy.Removals;
    }

    /// <summary>
    /// Reads blocks of a copy that was taken under the leaf's write lock, which is still held. Those that a crash may have struck while
    /// they were being overwritten are taken as the medium holds them; any other that does not match is damaged.
    /// </summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadLockedAsync(Leaf leaf, LeafCopy copy, int firstBlock, Memory<byte> destination, CancellationToken cancellationToken)
    {
        for (var i = 0; i < destination.Length / MapLayout.BlockBytes; i++)
        {
            var suspect = firstBlock + i;
            if (!HasSuspect(leaf, suspect, 1)) continue;
            var content = destination.Slice(i * MapLayout.BlockBytes, MapLayout.BlockBytes);
            await parts.Medium.ReadAsync(DeviceLba(copy.OffsetBytes(suspect)), content);
            var found = copy.ComputeChecksum(suspect, content.Span);
            if (TryTakeAsItIs(leaf, suspect, found)) copy.Checksums[suspect] = found;
        }

        // Each block that does not match is mended, if there is another copy, and what follows it is read.
        int block;
        for (var first = firstBlock; ; first = block + 1)
        {
            block = await ReadRunsAsync(copy, first, destination[((first - firstBlock) * MapLayout.BlockBytes)..], cancellationToken);
            if (block < 0) return;
            ThrowIfUnusable(); // A snapshot that was deleted meanwhile has given its places away.
            var content = destination.Slice((block - firstBlock) * MapLayout.BlockBytes, MapLayout.BlockBytes);
            if (!await TryRepairAsync(leaf, copy, block, content)) break;
            if (block + 1 == firstBlock + (destination.Length / MapLayout.BlockBytes)) return;
        }

        var data = destination.Slice((block - firstBlock) * MapLayout.BlockBytes, MapLayout.BlockBytes);
        throw Corrupt(leaf, block, copy.OffsetBytes(block), copy.Checksums[block], copy.ComputeChecksum(block, data.Span));
    }

    /// <summary>Fills the destination run by run; gives the first block that fails its checksum, or -1.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<int> ReadRunsAsync(LeafCopy copy, int firstBlock, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var end = firstBlock + (destination.Length / MapLayout.BlockBytes);
        for (var block = firstBlock; block < end;)
        {
            var at = (block - firstBlock) * MapLayout.BlockBytes;
            if (!copy.IsValid(block))
            {
                var next = block + 1;
                while (next < end && !copy.IsValid(next)) next++;
                destination.Span.Slice(at, (next - block) * MapLayout.BlockBytes).Clear();
                block = next;
                continue;
            }

            var runEnd = copy.ContiguousEnd(block, end);
            var run = destination.Slice(at, (runEnd - block) * MapLayout.BlockBytes);
            await parts.Device.ReadAsync(DeviceLba(copy.OffsetBytes(block)), run, cancellationToken);
            if (parts.Rules.FindMismatch(copy, block, run.Span) is >= 0 and var mismatch) return mismatch;
            block = runEnd;
        }

        return -1;
    }
}
