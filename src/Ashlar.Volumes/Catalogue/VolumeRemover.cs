using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Gives back the space of deleted volumes, in the background.</summary>
/// <remarks>
/// Crash order: the record stays, as deleting, until no leaf is left; so whatever a crash leaves behind is found by the next
/// opening. Leaves go like discarded ones: with their bitmaps, quarantined, in bounded commits. Leaves that cannot be read go with
/// the record, in one write with the note that their chunks belong to nobody (<see cref="LeakedSpace"/>).
/// </remarks>
sealed class VolumeRemover(PoolParts parts, Catalogue catalogue, LeakedSpace leaked, SnapshotRemover snapshots)
{
    readonly Lock gate = new();
    readonly List<VolumeDeletion> running = [];
    readonly Dictionary<VolumeDevice, string> failed = [];

    /// <summary>How far it has come with those volumes that it still works on.</summary>
    public DeletionProgress Progress
    {
        get
        {
            lock (gate)
                return new(running.Count, running.Sum(deletion => deletion.TotalBytes), running.Sum(deletion => deletion.FreedBytes));
        }
    }

    /// <summary>The volume that is being deleted under a lineage; null when there is none.</summary>
    public VolumeDevice? FindLineage(long lineage)
    {
        lock (gate) return running.Find(deletion => deletion.Volume.Lineage == lineage)?.Volume;
    }

    /// <summary>Begins, or resumes.</summary>
    public VolumeDeletion Begin(VolumeDevice volume)
    {
        parts.Damage.Forget(volume.Lineage); // Nobody can read it any more.
        VolumeDeletion deletion;
        lock (gate)
        {
            deletion = new(volume, parts.Work.Enqueue(
                "giving back the space of a deleted volume",
                volume.Record.Name,
                cancellationToken => FreeAsync(volume, cancellationToken)));
            running.Add(deletion);
            failed.Remove(volume);
        }

        _ = deletion.Completion.ContinueWith(
            _ => End(deletion), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return deletion;
    }

    /// <summary>
    /// Undoes a creation that did not come to its end: durably, and the name is free, when the call returns; its space is given back in the
    /// background. What cannot be written now is tried again there; never fails.
    /// </summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    [SuppressMessage("Design", "CA1031", Justification = "Why the creation failed matters more to the caller.")]
    public async ValueTask UndoCreationAsync(VolumeDevice volume)
    {
        try
        {
            await catalogue.AbandonAsync(volume);
        }
        catch (Exception)
        {
            _ = parts.Work.Enqueue("undoing a creation", volume.Record.Name, async cancellationToken =>
            {
                if (volume.Record.State != VolumeState.Deleting) await catalogue.AbandonAsync(volume);
                await FreeAsync(volume, cancellationToken);
            });
            return;
        }

        Begin(volume);
    }

    /// <summary>What could not be deleted, and why; it still has its space.</summary>
    public IReadOnlyList<string> DescribeFailures()
    {
        lock (gate) return [.. failed.Select(static each => $"volume {each.Key.Record.Name}, which cannot be deleted: {each.Value}")];
    }

    /// <summary>Begins again what could not be deleted before; false when there is nothing.</summary>
    public bool RetryFailed()
    {
        VolumeDevice[] left;
        lock (gate) left = [.. failed.Keys];
        foreach (var volume in left) Begin(volume);
        return left.Length > 0;
    }

    void End(VolumeDeletion deletion)
    {
        lock (gate)
        {
            running.Remove(deletion);
            if (deletion.Completion.Exception?.InnerException is { } why) failed[deletion.Volume] = why.Message;
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FreeAsync(VolumeDevice volume, CancellationToken cancellationToken)
    {
        // Whoever resizes it notices that it is deleted, and ends.
        await volume.Turn.EnterAsync();
        try
        {
            var lost = new List<long>();
            var areVersionsLost = await RemoveSnapshotsAsync(volume, cancellationToken);
            await volume.UnmapFromAsync(0, volume.SizeBytes, lost, cancellationToken);
            parts.Fragments.Close(volume);
            await parts.Committer.RunAsync(CommitScope.Checksums);
            parts.Markers.Drop(volume.Lineage);
            parts.Cache.Drop(volume);
            var batch = new WriteBatch();
            DropEntries(batch, MapKeys.Marker(volume.Lineage, 0).AsSpan(0, 9).ToArray());
            DropEntries(batch, MapKeys.OldLeaf(volume.Lineage, 0, -1).AsSpan(0, 9).ToArray());
            DropEntries(batch, MapKeys.Delta(volume.Lineage, 0).AsSpan(0, 9).ToArray());
            DropEntries(batch, MapKeys.Change(volume.Lineage, 0, 0).AsSpan(0, 9).ToArray());
            DropEntries(batch, MapKeys.Snapshot(volume.Lineage, 0).AsSpan(0, 9).ToArray());
            batch.Delete(MapKeys.Restoring(volume.Lineage));
            await DropEmptyLeavesAsync(volume);
            if (areVersionsLost) batch.Put(MapKeys.MayHaveLeaked, []);
            leaked.Drop(volume, lost, batch);
            var parent = volume.Parent;
            parts.Fragments.Forget(volume);
            await catalogue.ForgetAsync(volume, batch);
            parts.Damage.Forget(volume.Lineage);
            if (parent is not null) await snapshots.BeginParentAsync(parent);
            if (lost.Count > 0 || areVersionsLost) leaked.Reclaim();
        }
        finally
        {
            volume.Turn.Exit();
        }
    }

    // Of those that cannot be read nobody knows what they own: what is left then belongs to nobody.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> RemoveSnapshotsAsync(VolumeDevice volume, CancellationToken cancellationToken)
    {
        try
        {
            await snapshots.RemoveAllAsync(volume, cancellationToken);
            return false;
        }
        catch (CorruptDataException)
        {
            return true;
        }
    }

    // A clone, also one that has become independent, keeps leaves without content where its origin has some. They own nothing.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask DropEmptyLeavesAsync(VolumeDevice volume)
    {
        var batch = new WriteBatch();
        using (var cursor = parts.Store.Scan(KeyRange.Prefix(MapKeys.LeafStart(volume.Lineage, 0).AsSpan(0, 9).ToArray())))
        {
            while (cursor.MoveNext())
                if (LeafFormat.IsEmpty(cursor.Value)) batch.Delete(cursor.Key);
        }

        if (batch.Count > 0) await parts.Metadata.WriteAsync(batch, Durability.Relaxed, mayUseReserve: true);
    }

    void DropEntries(WriteBatch batch, byte[] prefix)
    {
        using var cursor = parts.Store.Scan(KeyRange.Prefix(prefix));
        while (cursor.MoveNext()) batch.Delete(cursor.Key);
    }
}
