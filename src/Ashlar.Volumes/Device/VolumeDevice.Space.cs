using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

sealed partial class VolumeDevice
{
    const long PageBytes = (long)LeafTable.LeavesPerPage * MapLayout.LeafBytes;

    volatile ResizeProgress? resizing;

    /// <summary>The resizing that is under way, or null; set by whoever holds the volume's turn.</summary>
    public ResizeProgress? Resizing
    {
        get => resizing;
        set => resizing = value;
    }

    /// <summary>Chunks that a range would have to take to be mapped as a whole.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<long> CountUnmappedAsync(long offsetBytes, long endBytes)
    {
        var (first, end) = (offsetBytes / MapLayout.ChunkBytes, (endBytes + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes);
        var count = end - first;
        foreach (var leafIndex in LeafOccupancy.Between(
            this, first / MapLayout.ChunksPerLeaf, (end + MapLayout.ChunksPerLeaf - 1) / MapLayout.ChunksPerLeaf))
        {
            var leaf = await parts.Cache.AcquireAsync(this, leafIndex);
            lock (leaf)
            {
                var firstChunk = leafIndex * MapLayout.ChunksPerLeaf;
                for (var slot = 0; leaf.HasEntries && slot < MapLayout.ChunksPerLeaf; slot++)
                    if (leaf.Entries[slot].Chunk != 0 && firstChunk + slot >= first && firstChunk + slot < end) count--;
            }

            leaf.Unpin();
        }

        return count;
    }

    /// <summary>Chunks that were counted belong to nobody any more. Only while no commit runs.</summary>
    public void Disown(long chunks)
    {
        CommittedChunks -= chunks;
        Interlocked.Add(ref allocatedChunks, -chunks);
    }

    /// <summary>Maps a range, whatever the volume's size, and keeps it: in the pool and on the device below.</summary>
    /// <exception cref="VolumeDeletedException">The volume was deleted meanwhile.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FillAsync(long offsetBytes, long endBytes, SpaceReservation reservation)
    {
        for (var offset = offsetBytes; offset < endBytes;)
        {
            ThrowIfUnusable();
            var leafEnd = Math.Min(endBytes, ((offset / MapLayout.LeafBytes) + 1) * MapLayout.LeafBytes);
            await parts.Throttle.WaitAsync();
            await KeepLeafAsync(
                offset / MapLayout.LeafBytes, (int)(offset % MapLayout.LeafBytes), (int)(leafEnd - offset), isForced: true, reservation);
            offset = leafEnd;
            resizing?.Reach(offset);
        }
    }

    /// <summary>Unmaps everything beyond an offset, whatever the volume's size or state: for resizing and deleting.</summary>
    /// <param name="offsetBytes">Where the volume ends from now on.</param>
    /// <param name="endBytes">Where it ended. There may be more, which is found as long as the map can be read.</param>
    /// <param name="lostLeaves">Gets the leaves that cannot be read: the caller gives them up.</param>
    /// <param name="cancellationToken">Stops between two leaves.</param>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask UnmapFromAsync(long offsetBytes, long endBytes, List<long> lostLeaves, CancellationToken cancellationToken)
    {
        for (var page = FindPage(offsetBytes / PageBytes); page >= 0; page = FindPage(page + 1))
        {
            var occupied = ReadPage(page);
            var pageEnd = (page + 1) * PageBytes;
            for (var offset = Math.Max(offsetBytes, page * PageBytes); offset < pageEnd;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var leafIndex = offset / MapLayout.LeafBytes;
                var inLeaf = (int)(offset % MapLayout.LeafBytes);
                resizing?.Reach(offset);
                offset += MapLayout.LeafBytes - inLeaf;
                if (occupied?.Contains(leafIndex) == false) continue;
                await parts.Throttle.WaitAsync();
                if (await IsDamagedAsync(leafIndex) && (IsBeingDeleted || inLeaf != 0 || (Snapshots.Count == 0 && Parent is null)))
                {
                    if (inLeaf == 0) lostLeaves.Add(leafIndex); // Else it goes on failing: nothing of it comes back as data.
                    continue;
                }

                await ZeroLeafAsync(leafIndex, inLeaf, MapLayout.LeafBytes - inLeaf, keep: false, isForced: true);
            }
        }

        // Where the table of keys itself is damaged, each leaf of the volume is tried by itself.
        long FindPage(long from)
        {
            try
            {
                return LeafOccupancy.FindNextPage(this, from);
            }
            catch (CorruptDataException) when (from * PageBytes < endBytes)
            {
                return from;
            }
        }

        LeafOccupancy? ReadPage(long page)
        {
            try
            {
                return LeafOccupancy.Read(this, page);
            }
            catch (CorruptDataException)
            {
                return null;
            }
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> IsDamagedAsync(long leafIndex)
    {
        var leaf = await parts.Cache.AcquireAsync(this, leafIndex);
        try
        {
            return leaf.Damage is not null;
        }
        finally
        {
            leaf.Unpin();
        }
    }

    // The chunks of a range become, or stay, allocated; all of them, or nothing has changed.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask KeepRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var end = offset + length;
        using var reservation = await parts.Throttle.ReserveAsync(Name, await CountUnmappedAsync(offset, end));
        var done = new List<KeptSlots>();
        try
        {
            while (offset < end)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var leafEnd = Math.Min(end, ((offset / MapLayout.LeafBytes) + 1) * MapLayout.LeafBytes);
                await parts.Throttle.WaitAsync();
                done.Add(await KeepLeafAsync(
                    offset / MapLayout.LeafBytes,
                    (int)(offset % MapLayout.LeafBytes),
                    (int)(leafEnd - offset),
                    isForced: false,
                    reservation));
                offset = leafEnd;
            }
        }
        catch
        {
            foreach (var slots in done) await UndoKeepAsync(slots);
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<KeptSlots> KeepLeafAsync(long leafIndex, int offset, int count, bool isForced, SpaceReservation reservation)
    {
        for (var attempt = 0; ; attempt++)
        {
            using (var locked = await LockLeafAsync(leafIndex))
            {
                if (!isForced) CheckStillThere((leafIndex * MapLayout.LeafBytes) + offset + count);
                if (await TryKeepLockedAsync(locked.Leaf, offset, count, reservation) is { } slots) return slots;
            }

            await parts.Throttle.WaitForSpaceAsync(Name, attempt);
        }
    }

    // The chunks that a piece of a leaf touches; null, with nothing changed, when there was none free. What is written to them
    // later cannot run out of space, neither in the pool nor below it.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<KeptSlots?> TryKeepLockedAsync(Leaf leaf, int offset, int count, SpaceReservation? reservation)
    {
        var firstBlock = offset / MapLayout.BlockBytes;
        var blockCount = Math.Max(1, ((offset + count + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes) - firstBlock);
        if (!CoversWhole(leaf, offset, count)) ThrowIfDamaged(leaf);
        var plan = LeafPlan.Rent();
        try
        {
            if (!TryPlan(leaf, plan, firstBlock, blockCount, isWrite: false, reservation)) return null;
            try
            {
                await ReserveOnDeviceAsync(leaf, plan, firstBlock, blockCount);
            }
            catch
            {
                ReleasePlanned(plan);
                throw;
            }

            var slots = new KeptSlots(leaf.Index, 0, 0);
            lock (leaf)
            {
                if (leaf.Damage is not null) Replace(leaf);
                EnsureEntries(leaf);
                foreach (var (slot, _) in new SlotMasks(firstBlock, blockCount))
                {
                    ref var entry = ref leaf.Entries[slot];
                    var bit = (ushort)(1 << slot);
                    if (entry.Chunk == 0)
                    {
                        Map(leaf, ref entry, plan.Entries[slot]);
                        slots = slots with { Mapped = (ushort)(slots.Mapped | bit) };
                    }

                    if (entry.IsKept) continue;
                    (entry.IsKept, entry.LacksRoom) = (true, false);
                    slots = slots with { Kept = (ushort)(slots.Kept | bit) };
                    parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
                }
            }

            return slots;
        }
        finally
        {
            plan.Return();
        }
    }

    // What is not kept already, run by run. New chunks hold nothing yet, so where space cannot be reserved they are zeroed.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReserveOnDeviceAsync(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount)
    {
        var end = ((firstBlock + blockCount - 1) / MapLayout.BlocksPerChunk) + 1;
        for (var slot = firstBlock / MapLayout.BlocksPerChunk; slot < end;)
        {
            var first = slot++;
            if (plan.Entries[first].IsKept) continue;
            var isNew = IsNew(first);
            while (slot < end
                && !plan.Entries[slot].IsKept
                && IsNew(slot) == isNew
                && plan.Entries[slot].Chunk == plan.Entries[slot - 1].Chunk + 1) slot++;
            await ReserveRunAsync(
                DeviceLba(plan.Entries[first].Chunk * MapLayout.ChunkBytes),
                (slot - first) * (long)MapLayout.ChunkBytes / parts.Device.Geometry.BlockSizeBytes,
                isNew);
        }

        bool IsNew(int slot) => !leaf.HasEntries || leaf.Entries[slot].Chunk == 0;
    }

    /// <summary>Reserves a new chunk on the device below, where it is to be kept.</summary>
    public ValueTask ReserveHomeAsync(long chunk) => ReserveRunAsync(
        DeviceLba(chunk * MapLayout.ChunkBytes), MapLayout.ChunkBytes / parts.Device.Geometry.BlockSizeBytes, isNew: true);

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReserveRunAsync(Lba start, long blockCount, bool isNew)
    {
        try
        {
            if (await TryReserveAsync(start, blockCount)) return;
            if (isNew) await parts.Device.WriteZeroesAsync(start, blockCount, ZeroOptions.KeepAllocated);
        }
        finally
        {
            parts.Committer.DeviceWritten(); // So that the commit flushes it.
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReserveAsync(Lba start, long blockCount)
    {
        try
        {
            if (parts.Device is not IReservableDevice reservable) return false;
            await reservable.ReserveAsync(start, blockCount);
            return true;
        }
        catch (NotSupportedException)
        {
            return false; // Zeros take the space as well.
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask UndoKeepAsync(KeptSlots slots)
    {
        if ((slots.Mapped | slots.Kept) == 0) return;
        using var locked = await LockLeafAsync(slots.LeafIndex);
        var leaf = locked.Leaf;
        BeginChange(leaf);
        lock (leaf)
        {
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            {
                ref var entry = ref leaf.Entries[slot];
                if ((slots.Kept >> slot & 1) == 0 || entry.Chunk == 0) continue;
                entry.IsKept = false;
                // Unless somebody has written to it meanwhile.
                if ((slots.Mapped >> slot & 1) != 0 && entry.AtHome == 0) DropHome(leaf, ref entry);
                parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
            }
        }
    }

    /// <summary>What keeping a piece of a leaf changed, by slot.</summary>
    readonly record struct KeptSlots(long LeafIndex, ushort Mapped, ushort Kept);
}
