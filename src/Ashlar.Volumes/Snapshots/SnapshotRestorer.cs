using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Takes a volume back to one of its snapshots, and makes clones independent of the one that they came from.</summary>
/// <remarks>
/// <para>What differs is copied: the volume gets places of its own, and all snapshots stay as they are. Were the snapshot's places
/// given to the volume instead, a place that the volume had let go of would come back to it, which <see cref="SnapshotRemover"/> rules
/// out.</para>
/// <para>Crash order of a restoring: write down, durably, that the volume goes back to a snapshot; copy; commit; forget that. From the
/// first step on requests fail, also after a crash, until the copy, begun anew, has come to its end: nobody sees a mixture.</para>
/// </remarks>
sealed class SnapshotRestorer(
    PoolParts parts, Catalogue catalogue, VolumeResizer resizer, SnapshotDiff diff, Func<VolumeDevice, SnapshotRecord, VolumeDevice> open)
{
    const int PieceBytes = 256 << 10;

    /// <summary>Takes a volume back.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RestoreAsync(VolumeDevice volume, string snapshot, CancellationToken cancellationToken) =>
        await CopyAsync(volume, await catalogue.BeginRestoreAsync(volume, snapshot), cancellationToken);

    /// <summary>Goes on with what a crash, or closing, interrupted.</summary>
    public void Resume(VolumeDevice volume)
    {
        if (parts.Store.Get(MapKeys.Restoring(volume.Lineage)) is not { Length: sizeof(long) } value) return;
        volume.IsRestoring = true;
        var generation = BinaryPrimitives.ReadInt64LittleEndian(value);
        if (volume.Snapshots.FirstOrDefault(each => each.Generation == generation && each.State == SnapshotState.Ready) is not { } snapshot)
        {
            parts.Events.Report(
                PoolEventKind.Volume,
                PoolEventSeverity.Error,
                $"it goes back to a snapshot that is not there, of generation {generation}; it can be taken back to another one",
                volume.Record.Name);
            return;
        }

        volume.IsBeingCopied = true;
        _ = parts.Work.Enqueue(
            "taking a volume back to a snapshot", volume.Record.Name, async stop => await CopyAsync(volume, snapshot, stop));
    }

    /// <summary>Gives a clone everything as its own.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlattenAsync(VolumeDevice clone, Action<long>? progress, CancellationToken cancellationToken)
    {
        await clone.Turn.EnterAsync();
        try
        {
            if (clone.Parent is null) return;
            RequireNoSnapshots(clone);
            foreach (var leafIndex in LeafOccupancy.Between(clone, 0, (clone.SizeBytes + MapLayout.LeafBytes - 1) / MapLayout.LeafBytes))
            {
                cancellationToken.ThrowIfCancellationRequested();
                await parts.Throttle.WaitAsync();
                await clone.FlattenLeafAsync(leafIndex);
                progress?.Invoke((leafIndex + 1) * MapLayout.LeafBytes);
            }

            // What lies beyond the end was unmapped when the volume was shrunk: then it has leaves of its own.
            await parts.Committer.RunAsync(CommitScope.Flush);
            RequireNoSnapshots(clone);
            await catalogue.ForgetParentAsync(clone);
        }
        finally
        {
            clone.Turn.Exit();
        }
    }

    // They have of the parent what the clone had then.
    static void RequireNoSnapshots(VolumeDevice clone)
    {
        if (clone.Snapshots.Count == 0) return;
        throw new SnapshotException(
            clone.Record.Name,
            clone.Snapshots[0].Name,
            SnapshotProblem.InUse,
            "it shares space with what the clone came from: delete the clone's snapshots first");
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CopyAsync(VolumeDevice volume, SnapshotRecord snapshot, CancellationToken cancellationToken)
    {
        volume.IsBeingCopied = true;
        try
        {
            await CopyOnceAsync(volume, snapshot, cancellationToken);
        }
        finally
        {
            volume.IsBeingCopied = false;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CopyOnceAsync(VolumeDevice volume, SnapshotRecord snapshot, CancellationToken cancellationToken)
    {
        // Whoever resizes it ends first; whoever comes later is refused. The same for those who write.
        await volume.Turn.EnterAsync();
        volume.Turn.Exit();
        await volume.PassWritersAsync();
        if (volume.SizeBytes != snapshot.SizeBytes)
            await resizer.ResizeAsync(volume, snapshot.SizeBytes, allowShrink: true, isRestoring: true);
        await parts.Committer.RunAsync(CommitScope.Checksums); // The store tells what has changed since.
        var source = open(volume, snapshot);
        var buffer = new byte[PieceBytes];
        foreach (var extent in diff.FindSince(volume, snapshot, parts.Generation.Current))
        {
            for (var offset = extent.OffsetBytes; offset < extent.OffsetBytes + extent.LengthBytes;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await parts.Throttle.WaitAsync();
                var end = Math.Min(extent.OffsetBytes + extent.LengthBytes, ((offset / PieceBytes) + 1) * PieceBytes);
                var length = (int)(end - offset);
                if (!extent.IsZero)
                    await source.ReadAsync(new Lba(offset / volume.BlockSizeBytes), buffer.AsMemory(0, length), cancellationToken);
                await volume.RestoreAsync(offset, extent.IsZero ? default : buffer.AsMemory(0, length), length);
                offset = end;
            }
        }

        await parts.Committer.RunAsync(CommitScope.Flush);
        var done = new WriteBatch();
        done.Delete(MapKeys.Restoring(volume.Lineage));
        await parts.Metadata.WriteAsync(done, Durability.Sync, mayUseReserve: true);
        volume.IsRestoring = false;
    }
}
