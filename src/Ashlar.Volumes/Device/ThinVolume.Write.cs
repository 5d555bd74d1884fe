using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

sealed partial class ThinVolume
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (offset, length) = CheckRange(start, source.Length);
        Pool.Failure.ThrowIfLatched();
        try
        {
            await Pool.ThrottleAsync();
            if (offset / MapLayout.LeafBytes != (offset + length - 1) / MapLayout.LeafBytes) await EnsureSpaceAsync(offset, length);
            for (long done = 0; done < length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var inLeaf = (int)((offset + done) % MapLayout.LeafBytes);
                var count = (int)Math.Min(MapLayout.LeafBytes - inLeaf, length - done);
                await WriteLeafAsync((offset + done) / MapLayout.LeafBytes, inLeaf, source.Slice((int)done, count));
                done += count;
            }

            if ((options & WriteOptions.ForceUnitAccess) != WriteOptions.None) await Pool.Commits.RunAsync(CommitScope.Flush);
        }
        catch
        {
            counters.Failed();
            throw;
        }

        counters.HasWritten(length);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask WriteLeafAsync(long leafIndex, int offset, ReadOnlyMemory<byte> source)
    {
        for (var attempt = 0; ; attempt++)
        {
            var leaf = Pool.Cache.Acquire(this, leafIndex);
            try
            {
                await leaf.WriteLock.EnterAsync();
                try
                {
                    CheckStillThere((leafIndex * MapLayout.LeafBytes) + offset + source.Length);
                    if (await TryWriteLockedAsync(leaf, offset, source)) return;
                }
                finally
                {
                    leaf.WriteLock.Exit();
                }
            }
            finally
            {
                leaf.Unpin();
            }

            // Without the lock: the commit that frees space captures leaves under theirs.
            await Pool.WaitForSpaceAsync(Name, attempt);
        }
    }

    /// <summary>Writes a piece of one leaf under its write lock; false, with nothing changed, when no chunk was free.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    async ValueTask<bool> TryWriteLockedAsync(Leaf leaf, int offset, ReadOnlyMemory<byte> source)
    {
        var firstBlock = offset / MapLayout.BlockBytes;
        var blockCount = ((offset + source.Length + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes) - firstBlock;
        var plan = LeafSnapshot.Rent();
        try
        {
            if (!TryPlan(leaf, plan, firstBlock, blockCount)) return false;
            try
            {
                await MarkAsync(leaf, firstBlock, blockCount);
                await WriteDataAsync(leaf, plan, offset, source);
            }
            catch
            {
                ReleasePlanned(leaf, plan, firstBlock, blockCount);
                await ReconcileAsync(leaf, plan);
                throw;
            }

            Apply(leaf, plan, firstBlock, blockCount);
            return true;
        }
        finally
        {
            plan.Return();
        }
    }

    // Before the first overwrite in place of a block that the committed leaf calls valid, the leaf is marked, durably.
    ValueTask MarkAsync(Leaf leaf, int firstBlock, int blockCount)
    {
        if (!leaf.OverlapsCommitted(firstBlock, blockCount, Pool.Options.Has(PlantedBugs.MarkByMemory))) return ValueTask.CompletedTask;
        var marked = Pool.Markers.EnsureAsync(leaf);
        lock (leaf) Pool.Commits.Changed(leaf, LeafDirt.Checksums);
        return marked;
    }

    // Places for the chunks that are not mapped yet, all or none. They are the request's until Apply makes them the leaf's.
    bool TryPlan(Leaf leaf, LeafSnapshot plan, int firstBlock, int blockCount, SpaceReservation? reservation = null)
    {
        plan.CopyFrom(leaf, firstBlock, blockCount);
        foreach (var (slot, _) in new SlotMasks(firstBlock, blockCount))
        {
            ref var entry = ref plan.Entries[slot];
            if (entry.Chunk != 0) continue;
            var chunk = Pool.Space.Take(
                PreferredChunk(leaf, plan, slot, firstBlock / MapLayout.BlocksPerChunk), slot, ref cursor, reservation);
            if (chunk == 0)
            {
                ReleasePlanned(leaf, plan, firstBlock, slot * MapLayout.BlocksPerChunk - firstBlock);
                return false;
            }

            entry = new ChunkEntry { Chunk = chunk, Birth = Generation };
        }

        return true;
    }

    // Beside a neighbour within the leaf, so that the leaf becomes one run whatever the order of its writes.
    static long PreferredChunk(Leaf leaf, LeafSnapshot plan, int slot, int firstPlanned)
    {
        if (slot > firstPlanned) return plan.Entries[slot - 1].Chunk + 1;
        var entries = leaf.Entries;
        for (var distance = 1; distance < entries.Length; distance++)
        {
            if (slot - distance >= 0 && entries[slot - distance].Chunk is not 0 and var before) return before + distance;
            if (slot + distance < entries.Length && entries[slot + distance].Chunk is not 0 and var after) return after - distance;
        }

        return 0;
    }

    void ReleasePlanned(Leaf leaf, LeafSnapshot plan, int firstBlock, int blockCount)
    {
        foreach (var (slot, _) in new SlotMasks(firstBlock, blockCount))
            if (!leaf.HasEntries || leaf.Entries[slot].Chunk == 0) Pool.Space.Release([plan.Entries[slot].Chunk]);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask WriteDataAsync(Leaf leaf, LeafSnapshot plan, int offset, ReadOnlyMemory<byte> source)
    {
        var inBlock = offset % MapLayout.BlockBytes;
        if (inBlock != 0 || source.Length < MapLayout.BlockBytes)
        {
            var count = Math.Min(MapLayout.BlockBytes - inBlock, source.Length);
            await WriteEdgeAsync(leaf, plan, offset, source[..count], edgeIndex: 0);
            offset += count;
            source = source[count..];
        }

        var whole = source.Length / MapLayout.BlockBytes * MapLayout.BlockBytes;
        if (whole > 0) await WriteBlocksAsync(plan, offset / MapLayout.BlockBytes, source[..whole]);
        if (whole < source.Length) await WriteEdgeAsync(leaf, plan, offset + whole, source[whole..], edgeIndex: 1);
    }

    // Part of a block: the rest of it is read first, and verified.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask WriteEdgeAsync(Leaf leaf, LeafSnapshot plan, int offset, ReadOnlyMemory<byte> source, int edgeIndex)
    {
        var block = offset / MapLayout.BlockBytes;
        var edge = plan.Edges.AsMemory(edgeIndex * MapLayout.BlockBytes, MapLayout.BlockBytes);
        if (plan.IsValid(block))
        {
            await Pool.Device.ReadAsync(Pool.DeviceLba(plan.OffsetBytes(block)), edge);
            if (Verify(plan, block, edge.Span) >= 0)
                throw Corrupt(leaf, block, plan.OffsetBytes(block), plan.Checksums[block], plan.ComputeChecksum(block, edge.Span));
        }
        else
        {
            edge.Span.Clear();
        }

        source.CopyTo(edge[(offset % MapLayout.BlockBytes)..]);
        await WriteBlocksAsync(plan, block, edge);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask WriteBlocksAsync(LeafSnapshot plan, int firstBlock, ReadOnlyMemory<byte> source)
    {
        var end = firstBlock + (source.Length / MapLayout.BlockBytes);
        for (var block = firstBlock; block < end;)
        {
            var runEnd = plan.ContiguousEnd(block, end, validOnly: false);
            var run = source.Slice((block - firstBlock) * MapLayout.BlockBytes, (runEnd - block) * MapLayout.BlockBytes);
            for (var i = block; i < runEnd; i++)
                plan.Checksums[i] = plan.ComputeChecksum(i, run.Span.Slice((i - block) * MapLayout.BlockBytes, MapLayout.BlockBytes));
            plan.Begin(block, runEnd);
            await Pool.Device.WriteAsync(Pool.DeviceLba(plan.OffsetBytes(block)), run);
            Pool.Commits.DeviceWritten();
            block = runEnd;
        }
    }

    void Apply(Leaf leaf, LeafSnapshot plan, int firstBlock, int blockCount)
    {
        var dirt = LeafDirt.Checksums;
        lock (leaf)
        {
            EnsureEntries(leaf);
            foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
            {
                ref var entry = ref leaf.Entries[slot];
                if (entry.Chunk == 0) Map(ref entry, plan.Entries[slot].Chunk);
                if ((entry.Valid & mask) != mask) dirt = LeafDirt.Map;
                entry.Valid |= mask;
            }

            plan.Checksums.AsSpan(firstBlock, blockCount).CopyTo(leaf.Checksums[firstBlock..]);
            Pool.Commits.Changed(leaf, dirt);
        }
    }

    void Map(ref ChunkEntry entry, long chunk)
    {
        entry = new ChunkEntry { Chunk = chunk, Birth = Generation, CapturedChunk = entry.CapturedChunk };
        Interlocked.Increment(ref allocatedChunks);
    }

    void EnsureEntries(Leaf leaf)
    {
        if (leaf.HasEntries) return;
        leaf.EnsureEntries();
        Pool.Cache.Grew();
    }

    // A failed write has left, in each block that it had begun, the old content, the new one, or neither. Only a block that is
    // found to hold all of the new content gets its checksum. Nothing is ever taken as it is: a block that rotted before, or was
    // torn, keeps the old checksum and goes on failing until it is written again as a whole.
    async ValueTask ReconcileAsync(Leaf leaf, LeafSnapshot plan)
    {
        for (var block = plan.BegunFirst; block < plan.BegunEnd; block++)
        {
            lock (leaf)
                if (!leaf.HasEntries || !leaf.Entries[block / MapLayout.BlocksPerChunk].IsValid(block % MapLayout.BlocksPerChunk)) continue;
            var buffer = plan.Edges.AsMemory(0, MapLayout.BlockBytes);
            try
            {
                await Pool.Device.ReadAsync(Pool.DeviceLba(plan.OffsetBytes(block)), buffer);
            }
            catch (BlockDeviceException)
            {
                continue; // Unreadable as well: the caller reports the write's failure.
            }

            if (plan.ComputeChecksum(block, buffer.Span) != plan.Checksums[block]) continue;
            lock (leaf) leaf.Checksums[block] = plan.Checksums[block];
        }
    }

    // A write over several leaves either has room or changes nothing: near exhaustion its needs are counted first.
    async ValueTask EnsureSpaceAsync(long offset, long length)
    {
        var most = (length / MapLayout.ChunkBytes) + 2;
        for (var attempt = 0; Pool.Space.FreeChunks < most; attempt++)
        {
            long needed = 0;
            for (var chunk = offset / MapLayout.ChunkBytes; chunk <= (offset + length - 1) / MapLayout.ChunkBytes; chunk++)
            {
                var leaf = Pool.Cache.Acquire(this, chunk / MapLayout.ChunksPerLeaf);
                lock (leaf)
                    if (!leaf.HasEntries || leaf.Entries[(int)(chunk % MapLayout.ChunksPerLeaf)].Chunk == 0) needed++;
                leaf.Unpin();
            }

            if (needed <= Pool.Space.FreeChunks) return;
            await Pool.WaitForSpaceAsync(Name, attempt);
        }
    }
}
