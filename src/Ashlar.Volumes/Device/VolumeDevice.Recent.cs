using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// What is logged of writes and zeros before a commit has them (RecentWrites), and how it is taken up after a kill.
sealed partial class VolumeDevice
{
    // Blocks that the store has where they are overwritten are vouched for by their markers. But while the store lacks anything of the
    // leaf that is logged, all is logged: zeros, say, that came before. What the captured leaf has where it is overwritten needs no
    // capture more.
    void LogWrite(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount)
    {
        if (!parts.Recent.IsOn) return;
        var blocks = SlotMasks.ToSet(firstBlock, blockCount);
        BlockSet marked;
        bool isAllMarked;
        lock (leaf)
        {
            marked = parts.Rules.NeedMarkers(leaf, plan, firstBlock, blockCount);
            var (isRecent, isCaptured) = (leaf.RecentThrough != 0, leaf.CapturedRecent != 0 && parts.Rules.LogsWhileCaptured);
            if (!isRecent && !isCaptured)
            {
                blocks.ExceptWith(marked);
                if (blocks.IsEmpty) return;
            }

            if (isRecent || !isCaptured) marked = default;
            else marked.IntersectWith(CapturedOf(leaf));
            isAllMarked = marked.Contains(blocks);
            // Before it is logged: who takes the changed leaves from now on captures it after this write.
            if (!isAllMarked) parts.ChangedLeaves.Add(leaf, LeafDirt.Map);
        }

        if (parts.Recent.LogWrite(leaf, plan, blocks, marked) is not (> 0 and var logged)) return;
        plan.Logged = logged;
        lock (leaf)
        {
            if (isAllMarked) leaf.MarkedThrough = logged;
            else leaf.RecentThrough = logged;
        }
    }

    static bool HasRecent(Leaf leaf)
    {
        lock (leaf) return leaf.RecentThrough != 0 || leaf.CapturedRecent != 0;
    }

    // The store will have it before the write is answered; until then whatever follows is logged.
    void LogAtomically(Leaf leaf)
    {
        if (!parts.Recent.IsOn) return;
        lock (leaf) leaf.RecentThrough = Math.Max(1, parts.Recent.Sequence);
    }

    // Blocks that the captured leaf has where they lie now. Call under the lock.
    static BlockSet CapturedOf(Leaf leaf)
    {
        var blocks = default(BlockSet);
        for (var slot = 0; leaf.HasEntries && slot < MapLayout.ChunksPerLeaf; slot++) blocks[slot] = leaf.Entries[slot].CapturedValid;
        return blocks;
    }

    // Before its new places are given back: whoever gets them may write what the record says. What is overwritten in place may be there all
    // the same, and stays logged.
    void LogFailure(Leaf leaf, LeafPlan plan, int firstBlock, int blockCount)
    {
        if (plan.Logged == 0) return;
        parts.Recent.LogVoid(leaf, plan.Logged);
        var inPlace = default(BlockSet);
        for (var block = firstBlock; block < firstBlock + blockCount; block++)
            if (plan.IsValid(block) && plan.IsInPlace(block)) inPlace.Add(block);
        if (plan.IsAtomic || inPlace.IsEmpty || leaf.Dirt != LeafDirt.Map) return;
        if (parts.Recent.LogWrite(leaf, plan, inPlace, marked: default) is not (> 0 and var logged)) return;
        lock (leaf) leaf.RecentThrough = logged;
    }

    // A leaf that has not changed had none of it.
    void LogZeros(Leaf leaf, int firstBlock, int blockCount, bool keep)
    {
        if (!parts.Recent.IsOn || leaf.Dirt != LeafDirt.Map) return;
        if (parts.Recent.LogZeros(leaf, firstBlock, blockCount, keep) is not (> 0 and var logged)) return;
        lock (leaf) leaf.RecentThrough = logged;
    }

    /// <summary>Writes what the log of an earlier life says of a leaf and the store does not have.</summary>
    /// <param name="leafIndex">The leaf.</param>
    /// <param name="records">The log.</param>
    /// <param name="buffer">Room for a leaf.</param>
    /// <param name="homes">Where its places are kept from others.</param>
    /// <returns>How many blocks of it were found, and how many could not be written.</returns>
    /// <exception cref="BlockDeviceException">The device cannot be used now.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<RecoveredBlocks> RecoverAsync(
        long leafIndex, RecentWriteRecords records, Memory<byte> buffer, RecoveredHomes homes)
    {
        using var locked = await LockLeafAsync(leafIndex);
        var leaf = locked.Leaf;
        var found = new RecoveredLeaf();
        foreach (var entry in records.NewestFirst(Lineage, leafIndex))
        {
            if (entry.Zeros is { } zeros) found.AddZeros(zeros.First, zeros.Count, entry.Keeps);
            else if (entry.Record.Kind == RecentKind.Write) await FindWriteAsync(leaf, entry, found, buffer);
        }

        homes.Begin(leaf);
        foreach (var (block, chunk) in found.Homes) homes.Found(block, chunk);
        var left = (int)Math.Min(MapLayout.LeafBytes, SizeBytes - (leafIndex * MapLayout.LeafBytes));
        var result = new RecoveredBlocks(0, 0, found.Missing.Count);
        // What cannot be read in the store was given anew as a whole, or not at all.
        var isBegun = leaf.Damage is null
            || (found.Covers(BlocksIn(left)) && await TryRecoverAsync(TryZeroLockedAsync(leaf, 0, left, keep: false, isForced: true)));
        foreach (var (first, count, kind) in found.Runs().OrderBy(static run => run.Kind))
        {
            var offset = first * MapLayout.BlockBytes;
            var length = Math.Min(count * MapLayout.BlockBytes, left - offset);
            if (length <= 0) continue; // It was cut off.
            if (isBegun && kind == RecoveredKind.Data)
                result += await WriteFoundAsync(leaf, offset, buffer.Slice(offset, length), found.IsAtomic);
            else if (isBegun && await ZeroFoundAsync(leaf, offset, length, kind)) result += new RecoveredBlocks(count, 0, 0);
            else result += new RecoveredBlocks(0, count, 0);
        }

        // What the store has already is logged no more from now on, so the log must not speak of it any longer.
        if (!HasRecent(leaf) && parts.Rules.CoversRecovered)
            parts.Recent.LogCovered([records.Cover(Lineage, leafIndex)]);
        return result;
    }

    static int BlocksIn(int bytes) => (bytes + MapLayout.BlockBytes - 1) / MapLayout.BlockBytes;

    // Where there is no room for all of it each chunk is tried by itself: most have their homes.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<RecoveredBlocks> WriteFoundAsync(Leaf leaf, int offset, ReadOnlyMemory<byte> data, bool isAtomic)
    {
        var all = new RecoveredBlocks(BlocksIn(data.Length), 0, 0);
        if (await TryRecoverAsync(TryWriteLockedAsync(leaf, offset, data, isAtomic))) return all;
        if (isAtomic) return new RecoveredBlocks(0, all.Found, 0);
        var result = default(RecoveredBlocks);
        for (var done = 0; done < data.Length;)
        {
            var length = Math.Min(data.Length - done, MapLayout.ChunkBytes - ((offset + done) % MapLayout.ChunkBytes));
            var isDone = await TryRecoverAsync(TryWriteLockedAsync(leaf, offset + done, data.Slice(done, length)));
            result += isDone ? new RecoveredBlocks(BlocksIn(length), 0, 0) : new RecoveredBlocks(0, BlocksIn(length), 0);
            done += length;
        }

        return result;
    }

    // Zeros are zeros also where there is no room to keep for them; what was there before must not come back.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> ZeroFoundAsync(Leaf leaf, int offset, int length, RecoveredKind kind) =>
        (kind == RecoveredKind.KeptZeros
            && await TryRecoverAsync(TryZeroLockedAsync(leaf, offset, length, keep: true, isForced: true)))
        || await TryRecoverAsync(TryZeroLockedAsync(leaf, offset, length, keep: false, isForced: true));

    // One thing that fails for good costs itself and no other.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryRecoverAsync(ValueTask<bool> attempt)
    {
        try
        {
            return await attempt;
        }
        catch (BlockDeviceException cause) when (!cause.IsTransient)
        {
            parts.Events.Report(
                PoolEventKind.Recovery,
                PoolEventSeverity.Warning,
                $"what nobody had flushed cannot be written as it was: {cause.Message}",
                Record.Name,
                cause);
            return false;
        }
    }

    // Of a write that may have been under way all must be there if it was atomic. Of any other a block is there or is not: then what was
    // there before is found by an earlier record.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FindWriteAsync(Leaf leaf, RecentEntry entry, RecoveredLeaf found, Memory<byte> buffer)
    {
        var runs = new List<RecentRun>();
        if (!RecentWriteFormat.TryReadRuns(entry.Bytes.Span, runs)) return;
        var isInDoubt = entry.IsAtomic && entry.IsNewest;
        var candidate = isInDoubt ? new RecoveredLeaf() : found;
        candidate.IsAtomic |= entry.IsAtomic;
        foreach (var run in runs)
        {
            if (entry.IsMarkedCovered && run.IsMarked) continue;
            if (await FindRunAsync(leaf, run, candidate, buffer, entry.IsNewest) || !isInDoubt) continue;
            // Said, before anything else of the leaf is logged: the next recovery would take it for one that was done.
            if (parts.Rules.VoidsInRecovery) parts.Recent.LogVoid(leaf, entry.Record.Sequence);
            return;
        }

        if (isInDoubt) found.TakeOver(candidate);
    }

    // False when a block is not there.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> FindRunAsync(Leaf leaf, RecentRun run, RecoveredLeaf found, Memory<byte> buffer, bool mayBeUnderWay)
    {
        var deviceBlocks = parts.Space.ChunkCount * MapLayout.BlocksPerChunk;
        if (run.Place < MapLayout.ReservedChunks * MapLayout.BlocksPerChunk) return false;
        if (run.Place > deviceBlocks - run.Checksums.Length) return false;
        var isWhole = true;
        for (var i = 0; i < run.Checksums.Length; i++)
        {
            var block = run.FirstBlock + i;
            if (!found.IsOpen(block)) continue;
            var target = buffer.Slice(block * MapLayout.BlockBytes, MapLayout.BlockBytes);
            var isRead = await TryReadPlaceAsync(run.Place + i, target);
            if (!isRead || parts.Checksum.Compute(target.Span, run.Place + i, run.Birth) != run.Checksums[i])
            {
                isWhole = false;
                if (!mayBeUnderWay || !isRead) found.AddMissing(block);
                continue;
            }

            if (IsStored(leaf, block, run.Place + i, run.Birth, run.Checksums[i])) found.SetStored(block);
            else found.SetData(block, run.IsHome ? (run.Place + i) / MapLayout.BlocksPerChunk : 0);
        }

        return isWhole;
    }

    static bool IsStored(Leaf leaf, int block, long place, long birth, uint checksum)
    {
        lock (leaf)
            return leaf.Map is { } map && map.IsValid(block) && map.PlaceOf(block) == (place, birth) && map.Checksums[block] == checksum;
    }

    // False when it cannot be read. What may be read another time fails the opening, and the log stays.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReadPlaceAsync(long place, Memory<byte> target)
    {
        try
        {
            await parts.Device.ReadAsync(DeviceLba(place * MapLayout.BlockBytes), target);
            return true;
        }
        catch (BlockDeviceException ill) when (!ill.IsTransient)
        {
            return false;
        }
    }
}
