using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Blocks that fail their checksum, or cannot be read, on a device that has them in more than one way: the checksum tells which is right.
sealed partial class VolumeDevice
{
    readonly AsyncLock mending = new();
    long repairedBlocks;

    /// <summary>Blocks that were damaged below and have been mended from another copy, or from parity.</summary>
    public long RepairedBlocks => Interlocked.Read(ref repairedBlocks);

    /// <summary>
    /// Looks for a copy of a block that matches its checksum, and puts it in the place of what does not. Under the leaf's write lock:
    /// nobody writes the block meanwhile. What a snapshot needs is mended as well: its content does not change until it is deleted, and
    /// then not before all mends have ended (<see cref="EndMendsAsync"/>).
    /// </summary>
    /// <returns>Whether the buffer holds the content.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryRepairAsync(Leaf leaf, LeafCopy copy, int block, Memory<byte> buffer)
    {
        Invariant.Require(leaf.WriteLock.IsHeld && copy.IsValid(block));
        if (parts.Device is not IRedundantDevice device) return false;
        var place = DeviceLba(copy.OffsetBytes(block));
        await mending.EnterAsync();
        try
        {
            for (var way = 0; way < device.CopyCount && !IsGone; way++)
            {
                if (!await TryReadCopyAsync(device, place, buffer, way)) continue;
                if (copy.ComputeChecksum(block, buffer.Span) != copy.Checksums[block]) continue;
                await RewriteAsync(device, place, buffer);
                Interlocked.Increment(ref repairedBlocks);
                Report(leaf, block);
                return true;
            }
        }
        finally
        {
            mending.Exit();
        }

        return false;
    }

    /// <summary>
    /// Of a snapshot that is gone: ends when no mend is under way, and none begins any more. Until then nobody else may write to what was
    /// its own: a mend puts back what was there, and no lock of a leaf is for all who share the place.
    /// </summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask EndMendsAsync()
    {
        Invariant.Require(IsGone && AsOf is not null);
        await mending.EnterAsync();
        mending.Exit();
    }

    /// <summary>
    /// Looks at each copy of blocks, and puts content that matches its checksum in the place of a copy that does not. For whoever has found
    /// that they differ: a request is served by any of them, and says nothing of the others.
    /// </summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask MendCopiesAsync(long offsetBytes, int lengthBytes)
    {
        Invariant.Require(offsetBytes % MapLayout.BlockBytes == 0 && lengthBytes % MapLayout.BlockBytes == 0);
        if (parts.Device is not IRedundantDevice device) return;
        var buffer = new byte[MapLayout.BlockBytes];
        for (var done = 0; done < lengthBytes; done += MapLayout.BlockBytes)
        {
            var block = (int)((offsetBytes + done) % MapLayout.LeafBytes / MapLayout.BlockBytes);
            var leaf = await parts.Cache.AcquireAsync(this, (offsetBytes + done) / MapLayout.LeafBytes);
            try
            {
                await MendCopiesAsync(device, leaf, block, buffer);
            }
            finally
            {
                leaf.Unpin();
            }
        }
    }

    // Under the write lock nobody writes the block meanwhile. What a crash may have struck is judged by the sweep.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask MendCopiesAsync(IRedundantDevice device, Leaf leaf, int block, Memory<byte> buffer)
    {
        var copy = LeafCopy.Rent();
        await leaf.WriteLock.EnterAsync();
        await mending.EnterAsync();
        try
        {
            ThrowIfUnusable();
            ThrowIfDamaged(leaf);
            copy.CopyFrom(leaf, block, 1);
            if (!copy.IsValid(block) || HasSuspect(leaf, block, 1)) return;
            var (place, right, isAnyWrong) = (DeviceLba(copy.OffsetBytes(block)), -1, false);
            for (var way = 0; way < device.CopyCount; way++)
            {
                if (!await TryReadCopyAsync(device, place, buffer, way)) continue;
                if (copy.ComputeChecksum(block, buffer.Span) == copy.Checksums[block]) right = way;
                else isAnyWrong = true;
            }

            if (right < 0 || !isAnyWrong || !await TryReadCopyAsync(device, place, buffer, right)) return;
            if (copy.ComputeChecksum(block, buffer.Span) != copy.Checksums[block]) return;
            await RewriteAsync(device, place, buffer);
            Interlocked.Increment(ref repairedBlocks);
            Report(leaf, block);
        }
        finally
        {
            mending.Exit();
            leaf.WriteLock.Exit();
            copy.Return();
        }
    }

    void Report(Leaf leaf, int block)
    {
        var blocks = default(BlockSet);
        blocks.Add(block);
        if (AsOf is null) parts.Damage.Healed(leaf, blocks);
        parts.CountRepaired();
        parts.Events.ReportOnce(
            PoolEventKind.Repaired,
            PoolEventSeverity.Warning,
            $"repaired {Lineage}/{AsOf}/{leaf.Index}/{block}",
            $"volume {Name}, byte {(leaf.Index * MapLayout.LeafBytes) + ((long)block * MapLayout.BlockBytes)}: a block did not match its "
            + $"checksum on {parts.Device.Name} and was mended from another copy",
            Record.Name);
    }

    // A device that gives out fails the one way, not the others.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<bool> TryReadCopyAsync(IRedundantDevice device, Lba place, Memory<byte> buffer, int way)
    {
        try
        {
            return await device.ReadCopyAsync(place, buffer, way);
        }
        catch (BlockDeviceException)
        {
            return false;
        }
    }

    // The content was found; that it cannot be put back is for the next one who comes to it.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RewriteAsync(IRedundantDevice device, Lba place, ReadOnlyMemory<byte> content)
    {
        try
        {
            await device.RewriteAsync(place, content);
        }
        catch (BlockDeviceException)
        {
            // Said above.
        }
        finally
        {
            parts.Committer.DeviceWritten();
        }
    }
}
