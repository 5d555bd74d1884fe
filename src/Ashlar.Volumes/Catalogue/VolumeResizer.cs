using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Fills new thick volumes, grows and shrinks. Holds the turn of the one volume; the catalogue is asked for single writes only.
/// </summary>
/// <remarks>
/// <para>The record of a volume that is being resized says <see cref="VolumeState.Resizing"/>, with the size that holds if the rest
/// never happens. Crash order:</para>
/// <para>Growing a thick volume: reserve the chunks, so that a pool without room refuses before anything is taken; remember the old
/// size as resizing; map every chunk, reserved on the device; commit; remember the new size as ready. A crash or a failure before
/// the last step leaves the old size, and what was mapped beyond it is unmapped. Creating one is growing it from nothing.</para>
/// <para>Shrinking: refuse what lies beyond the end; remember the new size as resizing; unmap the tail; commit; remember it as
/// ready. Ready before the tail is unmapped would let it come back as data when the volume grows.</para>
/// </remarks>
class VolumeResizer(
    Catalogue catalogue,
    Committer commits,
    LeakedSpace leaked,
    MetadataWriter writer,
    BackgroundWork work,
    WriteThrottle throttle)
{
    /// <summary>What the record says until the tail is unmapped.</summary>
    protected virtual VolumeState StateWhileShrinking => VolumeState.Resizing;

    /// <summary>Fills a thick volume that was just created, and shows it to everyone.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FillAsync(VolumeDevice volume, long sizeBytes, SpaceReservation reservation)
    {
        await volume.Turn.EnterAsync();
        try
        {
            await FillLockedAsync(volume, 0, sizeBytes, reservation);
        }
        finally
        {
            volume.Turn.Exit();
        }
    }

    /// <summary>Grows or shrinks a volume; durable when the call returns.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ResizeAsync(VolumeDevice volume, long sizeBytes, bool allowShrink, bool isRestoring = false)
    {
        await volume.Turn.EnterAsync();
        try
        {
            if (volume.IsGone) throw new VolumeDeletedException(volume.Name);
            if (volume.IsRestoring && !isRestoring)
                throw new SnapshotException(volume.Record.Name, null, SnapshotProblem.InUse, "it goes back to a snapshot just now");
            if (volume.Record.State == VolumeState.Resizing) await SettleLockedAsync(volume, volume.SizeBytes, CancellationToken.None);
            var before = volume.SizeBytes;
            if (sizeBytes < before && !allowShrink)
                throw new ArgumentOutOfRangeException(
                    nameof(sizeBytes),
                    sizeBytes,
                    $"Volume '{volume.Record.Name}' has {before} bytes; shrinking it discards data and must be allowed.");
            volume.Resizing = new(before, sizeBytes);
            if (sizeBytes < before) await ShrinkLockedAsync(volume, before, sizeBytes);
            else if (sizeBytes > before) await GrowLockedAsync(volume, before, sizeBytes);
        }
        finally
        {
            volume.Resizing = null;
            volume.Turn.Exit();
        }
    }

    /// <summary>Ends a resizing that a crash interrupted, in the background.</summary>
    public void Resume(VolumeDevice volume) => SettleLater(volume);

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask SettleAsync(VolumeDevice volume, CancellationToken cancellationToken)
    {
        await volume.Turn.EnterAsync();
        try
        {
            if (volume.Record.State == VolumeState.Resizing) await SettleLockedAsync(volume, volume.SizeBytes, cancellationToken);
        }
        finally
        {
            volume.Turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask GrowLockedAsync(VolumeDevice volume, long before, long after)
    {
        if (!volume.IsThick)
        {
            await catalogue.RememberAsync(volume, VolumeState.Ready, after, mayUseReserve: false);
            volume.SetSize(after);
            return;
        }

        using var reservation = await throttle.ReserveThickAsync(volume.Name, await volume.CountUnmappedAsync(before, after));
        await catalogue.RememberAsync(volume, VolumeState.Resizing, before, mayUseReserve: false);
        try
        {
            await FillLockedAsync(volume, before, after, reservation);
        }
        catch when (volume.Record.State == VolumeState.Resizing)
        {
            try
            {
                await SettleLockedAsync(volume, after, CancellationToken.None);
            }
            catch (AshlarException)
            {
                SettleLater(volume); // Why the growth failed matters more to the caller.
            }

            throw;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FillLockedAsync(VolumeDevice volume, long before, long after, SpaceReservation reservation)
    {
        await volume.FillAsync(before, after, reservation);
        await commits.RunAsync(CommitScope.Flush);
        if (volume.Record.IsBeingCreated) volume.SetSize(after); // The record shows it to everyone, with its size.
        await catalogue.RememberAsync(volume, VolumeState.Ready, after, mayUseReserve: false);
        volume.SetSize(after);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ShrinkLockedAsync(VolumeDevice volume, long before, long after)
    {
        volume.SetSize(after);
        try
        {
            await catalogue.RememberAsync(volume, StateWhileShrinking, after, mayUseReserve: true);
        }
        catch
        {
            volume.SetSize(before);
            throw;
        }

        try
        {
            await SettleLockedAsync(volume, before, CancellationToken.None);
        }
        catch
        {
            SettleLater(volume);
            throw;
        }
    }

    void SettleLater(VolumeDevice volume) => _ = work.Enqueue(
        "unmapping what lies beyond the end of a volume", volume.Record.Name, cancellationToken => SettleAsync(volume, cancellationToken));

    // The end is where the map may hold anything, as far as that is known.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask SettleLockedAsync(VolumeDevice volume, long endBytes, CancellationToken cancellationToken)
    {
        var lost = new List<long>();
        await volume.UnmapFromAsync(volume.Record.SizeBytes, endBytes, lost, cancellationToken);
        await commits.RunAsync(CommitScope.Flush);
        if (lost.Count > 0)
        {
            var batch = new WriteBatch();
            leaked.Drop(volume, lost, batch);
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: true);
            leaked.Reclaim();
        }

        await catalogue.RememberAsync(volume, VolumeState.Ready, volume.Record.SizeBytes, mayUseReserve: true);
    }
}
