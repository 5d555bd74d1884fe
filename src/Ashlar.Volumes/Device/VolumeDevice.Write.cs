using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

sealed partial class VolumeDevice
{
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var (offset, length) = CheckRange(start, source.Length);
            Accesses.CountWrite(offset, length);
            ThrowIfReadOnly();
            parts.Failure.ThrowIfLatched();
            await parts.Throttle.WaitAsync();
            var isAtomic = (options & WriteOptions.Atomic) != WriteOptions.None;
            if (isAtomic) await WriteAtomicAsync(offset, source, cancellationToken);
            else if (offset / MapLayout.LeafBytes != (offset + length - 1) / MapLayout.LeafBytes)
                await EnsureSpaceAsync(offset, length, cancellationToken);
            for (long done = isAtomic ? length : 0; done < length;)
            {
                var inLeaf = (int)((offset + done) % MapLayout.LeafBytes);
                var count = (int)Math.Min(MapLayout.LeafBytes - inLeaf, length - done);
                await WriteLeafAsync((offset + done) / MapLayout.LeafBytes, inLeaf, source.Slice((int)done, count), cancellationToken);
                done += count;
            }

            if ((options & WriteOptions.ForceUnitAccess) != WriteOptions.None) await parts.Committer.RunAsync(CommitScope.Flush);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountWrite(source.Length);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteLeafAsync(
        long leafIndex, int offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken, bool isAtomic = false)
    {
        for (var attempt = 0; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (var locked = await LockLeafAsync(leafIndex))
            {
                CheckStillThere((leafIndex * MapLayout.LeafBytes) + offset + source.Length);
                if (await TryWriteLockedAsync(locked.Leaf, offset, source, isAtomic)) return;
            }

            // Without the lock: the commit that frees space captures leaves under theirs.
            await parts.Throttle.WaitForSpaceAsync(Name, attempt);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<LockedLeaf> LockLeafAsync(long leafIndex)
    {
        var leaf = await parts.Cache.AcquireAsync(this, leafIndex);
        try
        {
            await leaf.WriteLock.EnterAsync();
        }
        catch
        {
            leaf.Unpin();
            throw;
        }

        return new LockedLeaf(leaf);
    }

    // The order of a write, under the leaf's write lock:
    //   1. Plan: take places for what has none of its own.     Crash: they are free, no leaf in the store names them.
    //   2. Complete parts of blocks by what lies there.        Crash: the same. Here a damaged block fails the write, untouched.
    //   3. Mark what the committed leaf calls valid, durably.  Crash: marked blocks that still match.
    //   4. Log where the others go (VolumeDevice.Recent.cs).   Kill: nothing is there that matches, or what was there before, as logged.
    //   5. Write the data.                                     Crash: marked blocks are old, new or torn, and known to be in doubt;
    //                                                          the others are not valid in the committed leaf. Kill: the log finds them.
    //   6. Put places, valid bits and checksums into the leaf. Crash, kill: as after 5, until a commit has made the leaf durable.
    // 5 before 3 would make a torn block look like damage; 6 before 5 would let a commit promise data that is not written; 5 before 4 would
    // lose a block that is overwritten, and whose old content alone is logged.
    /// <summary>Writes a piece of one leaf; false, with nothing changed, when no chunk was free.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryWriteLockedAsync(Leaf leaf, int offset, ReadOnlyMemory<byte> source, bool isAtomic = false)
    {
        var firstBlock = offset / MapLayout.BlockBytes;
        var blockCount = ((offset + source.Length + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes) - firstBlock;
        if (!CoversWhole(leaf, offset, source.Length)) ThrowIfDamaged(leaf);
        var plan = LeafPlan.Rent();
        plan.IsAtomic = isAtomic && parts.Rules.WritesAtomicallyElsewhere;
        try
        {
            if (!TryPlan(leaf, plan, firstBlock, blockCount, isWrite: true)) return false;
            try
            {
                await CompleteEdgesAsync(leaf, plan, offset, source);
                await MarkAsync(leaf, plan, firstBlock, blockCount);
                ComputeChecksums(plan, offset, source);
                if (leaf.Damage is null) LogWrite(leaf, plan, firstBlock, blockCount);
                await WriteDataAsync(leaf, plan, offset, source);
            }
            catch
            {
                LogFailure(leaf, plan, firstBlock, blockCount);
                ReleasePlanned(plan);
                await ReconcileAsync(leaf, plan);
                throw;
            }

            var wasDamaged = leaf.Damage is not null;
            Apply(leaf, plan, firstBlock, blockCount);
            if (wasDamaged) LogWrite(leaf, plan, firstBlock, blockCount); // It overwrites nothing, and is no change before it is one.
            return true;
        }
        finally
        {
            plan.Return();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CompleteEdgesAsync(Leaf leaf, LeafPlan plan, int offset, ReadOnlyMemory<byte> source)
    {
        var edges = new BlockEdges(offset, source.Length);
        if (edges.First > 0) await CompleteEdgeAsync(leaf, plan, offset, source[..edges.First], 0);
        if (edges.Last > 0) await CompleteEdgeAsync(leaf, plan, offset + source.Length - edges.Last, source[^edges.Last..], 1);
    }

    // A part of a block: the rest of it is read first, and verified. Beyond the end of the volume are zeros, whatever lies there.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CompleteEdgeAsync(Leaf leaf, LeafPlan plan, int offset, ReadOnlyMemory<byte> source, int edgeIndex)
    {
        var edge = plan.Edges.AsMemory(edgeIndex * MapLayout.BlockBytes, MapLayout.BlockBytes);
        var isWholeToTheEnd = offset % MapLayout.BlockBytes == 0
            && (leaf.Index * MapLayout.LeafBytes) + offset + source.Length == SizeBytes;
        if (isWholeToTheEnd) edge.Span.Clear();
        else await ReadLockedAsync(leaf, plan, offset / MapLayout.BlockBytes, edge, CancellationToken.None);
        source.CopyTo(edge[(offset % MapLayout.BlockBytes)..]);
    }

    static void ComputeChecksums(LeafPlan plan, int offset, ReadOnlyMemory<byte> source)
    {
        var edges = new BlockEdges(offset, source.Length);
        var block = offset / MapLayout.BlockBytes;
        if (edges.First > 0) plan.ComputeTargetChecksum(block++, plan.Edge(0));
        for (var rest = source.Span[edges.First..^edges.Last]; !rest.IsEmpty; rest = rest[MapLayout.BlockBytes..])
            plan.ComputeTargetChecksum(block++, rest[..MapLayout.BlockBytes]);
        if (edges.Last > 0) plan.ComputeTargetChecksum(block, plan.Edge(1));
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteDataAsync(Leaf leaf, LeafPlan plan, int offset, ReadOnlyMemory<byte> source)
    {
        var edges = new BlockEdges(offset, source.Length);
        var block = offset / MapLayout.BlockBytes;
        if (edges.First > 0) await WriteBlocksAsync(leaf, plan, block++, plan.Edges.AsMemory(0, MapLayout.BlockBytes));
        var whole = source[edges.First..^edges.Last];
        if (whole.Length > 0) await WriteBlocksAsync(leaf, plan, block, whole);
        if (edges.Last > 0)
            await WriteBlocksAsync(leaf, plan, block + (whole.Length / MapLayout.BlockBytes), plan.Edges.AsMemory(MapLayout.BlockBytes));
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteBlocksAsync(Leaf leaf, LeafPlan plan, int firstBlock, ReadOnlyMemory<byte> source)
    {
        var end = firstBlock + (source.Length / MapLayout.BlockBytes);
        for (var block = firstBlock; block < end;)
        {
            var runEnd = plan.TargetEnd(block, end);
            var run = source.Slice((block - firstBlock) * MapLayout.BlockBytes, (runEnd - block) * MapLayout.BlockBytes);
            Invariant.Require(IsMarked(leaf, plan, block, runEnd));
            Invariant.Require(AreOwn(leaf, plan, block, runEnd) && (!plan.IsAtomic || OverwritesNothing(plan, block, runEnd)));
            plan.Begin(block, runEnd);
            try
            {
                await parts.Device.WriteAsync(DeviceLba(plan.TargetOffsetBytes(block)), run);
            }
            finally
            {
                parts.Committer.DeviceWritten();
            }

            block = runEnd;
        }
    }

    // What a snapshot needs is never overwritten.
    bool AreOwn(Leaf leaf, LeafPlan plan, int firstBlock, int endBlock)
    {
        var shared = SharedThrough(leaf);
        for (var block = firstBlock; block < endBlock; block++)
            if (plan.TargetBirthOf(block) <= shared) return false;
        return true;
    }

    static bool OverwritesNothing(LeafPlan plan, int firstBlock, int endBlock)
    {
        for (var block = firstBlock; block < endBlock; block++)
            if (plan.IsValid(block) && plan.IsInPlace(block)) return false;
        return true;
    }

    void Apply(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount)
    {
        var dirt = LeafDirt.Checksums;
        Renew(leaf, SlotMasks.ToSet(firstBlock, blockCount));
        lock (leaf)
        {
            if (leaf.Damage is not null) Replace(leaf);
            EnsureEntries(leaf);
            foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
            {
                if (TryMove(leaf, plan, slot, mask)) dirt = LeafDirt.Map;
                ref var entry = ref leaf.Entries[slot];
                if (!entry.LacksRoom || parts.Metadata.IsExhausted) continue;
                entry.LacksRoom = false;
                leaf.Whole = null; // A delta would not give it room.
            }

            leaf.SetChecksums(firstBlock, plan.NewChecksums.Slice(firstBlock, blockCount));
            leaf.WroteTo(firstBlock, blockCount);
            parts.ChangedLeaves.Add(leaf, dirt);
        }
    }

    // The blocks of a slot are where the plan has put them; false if they were there, with data.
    bool TryMove(Leaf leaf, LeafPlan plan, int slot, ushort mask)
    {
        ref var entry = ref leaf.Entries[slot];
        if (plan.HasNewHome(slot))
        {
            // Everything that lay elsewhere is written anew, or the slot was empty.
            DropRedirected(leaf, slot, mask);
            Invariant.Require(entry.Redirected == 0);
            entry.Moved(ushort.MaxValue);
            if (entry.Chunk != 0)
            {
                entry.Valid = 0;
                DropHome(leaf, ref entry);
            }

            Map(leaf, ref entry, plan.Entries[slot]);
            entry.Valid = mask;
            return true;
        }

        var isChanged = (entry.Valid & mask) != mask;
        for (var bits = (uint)mask; bits != 0; bits &= bits - 1)
        {
            var inChunk = BitOperations.TrailingZeroCount(bits);
            var block = (slot * MapLayout.BlocksPerChunk) + inChunk;
            if (plan.IsInPlace(block)) continue;
            var bit = (ushort)(1 << inChunk);
            DropRedirected(leaf, slot, bit);
            entry.Moved(bit);
            leaf.CountRemoval();
            isChanged = true;
            if (plan.TargetOf(block) / MapLayout.BlocksPerChunk == entry.Chunk) continue; // Home again.
            if (leaf.Map!.Redirected is null)
            {
                leaf.Map.EnsureRedirected();
                parts.Cache.Grew(leaf);
            }

            leaf.Map.Redirected!.Set(block, plan.TargetOf(block), plan.TargetBirthOf(block));
            leaf.Changes.AddBlock(plan.TargetOf(block));
            entry.Redirected |= bit;
        }

        entry.Valid |= mask;
        DropUselessHome(leaf, ref entry);
        return isChanged;
    }

    // A failed write has left, in each block that it had begun, the old content, the new one, or neither. Only a block that is
    // found to hold all of the new content gets its checksum. Nothing is ever taken as it is: a block that rotted before, or was
    // torn, keeps the old checksum and goes on failing until it is written again as a whole.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReconcileAsync(Leaf leaf, LeafPlan plan)
    {
        lock (leaf) leaf.MayBeTorn = true;
        for (var block = plan.BegunFirst; block < plan.BegunEnd; block++)
        {
            if (!plan.IsValid(block) || !plan.IsInPlace(block)) continue;
            if (!await TryReadRawAsync(plan, block, 1, at: 0)) continue; // The caller reports the write's failure.
            if (plan.ComputeChecksum(block, plan.Chunk.AsSpan(0, MapLayout.BlockBytes)) != plan.NewChecksums[block]) continue;
            lock (leaf) leaf.SetChecksums(block, plan.NewChecksums.Slice(block, 1));
        }
    }

    // A write over several leaves either has room or changes nothing: near exhaustion its needs are counted first. What snapshots need
    // is counted as if all of it got new places.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask EnsureSpaceAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var most = (length / MapLayout.ChunkBytes) + 2;
        for (var attempt = 0; parts.Space.FreeChunks < most; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long needed = 0;
            for (var chunk = offset / MapLayout.ChunkBytes; chunk <= (offset + length - 1) / MapLayout.ChunkBytes; chunk++)
            {
                var leaf = await parts.Cache.AcquireAsync(this, chunk / MapLayout.ChunksPerLeaf);
                lock (leaf)
                {
                    if (!leaf.HasEntries || !IsHomeOwn(leaf, leaf.Entries[(int)(chunk % MapLayout.ChunksPerLeaf)])) needed++;
                }

                leaf.Unpin();
            }

            if (needed <= parts.Space.FreeChunks) return;
            await parts.Throttle.WaitForSpaceAsync(Name, attempt, needed);
        }
    }

    // Whether the home will be the head's alone when the next request comes to the leaf.
    bool IsHomeOwn(Leaf leaf, ChunkEntry entry) => entry.Chunk != 0 && entry.Birth > SharedThroughIfChanged(leaf);
}
