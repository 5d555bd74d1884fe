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
sealed class VolumeRemover(
    Catalogue catalogue,
    KeyValueStore store,
    Committer commits,
    OverwriteMarkers markers,
    LeafCache cache,
    DamageLog damage,
    LeakedSpace leaked,
    BackgroundWork work)
{
    readonly Lock gate = new();
    readonly List<VolumeDeletion> running = [];

    /// <summary>How far it has come with those volumes that it still works on.</summary>
    public DeletionProgress Progress
    {
        get
        {
            lock (gate)
                return new(running.Count, running.Sum(deletion => deletion.TotalBytes), running.Sum(deletion => deletion.FreedBytes));
        }
    }

    /// <summary>Begins, or resumes.</summary>
    public VolumeDeletion Begin(VolumeDevice volume)
    {
        damage.Forget(volume.Lineage); // Nobody can read it any more.
        VolumeDeletion deletion;
        lock (gate)
        {
            deletion = new(volume, work.Enqueue(
                "giving back the space of a deleted volume",
                volume.Record.Name,
                cancellationToken => FreeAsync(volume, cancellationToken)));
            running.Add(deletion);
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
            _ = work.Enqueue("undoing a creation", volume.Record.Name, async cancellationToken =>
            {
                if (volume.Record.State != VolumeState.Deleting) await catalogue.AbandonAsync(volume);
                await FreeAsync(volume, cancellationToken);
            });
            return;
        }

        Begin(volume);
    }

    void End(VolumeDeletion deletion)
    {
        lock (gate) running.Remove(deletion);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FreeAsync(VolumeDevice volume, CancellationToken cancellationToken)
    {
        // Whoever resizes it notices that it is deleted, and ends.
        await volume.Turn.EnterAsync();
        try
        {
            var lost = new List<long>();
            await volume.UnmapFromAsync(0, volume.SizeBytes, lost, cancellationToken);
            await commits.RunAsync(CommitScope.Checksums);
            markers.Drop(volume.Lineage);
            cache.Drop(volume);
            var batch = new WriteBatch();
            using (var cursor = store.Scan(KeyRange.Prefix(MapKeys.Marker(volume.Lineage, 0).AsSpan(0, 9))))
                while (cursor.MoveNext()) batch.Delete(cursor.Key);
            leaked.Drop(volume, lost, batch);
            await catalogue.ForgetAsync(volume, batch);
            damage.Forget(volume.Lineage);
            if (lost.Count > 0) leaked.Reclaim();
        }
        finally
        {
            volume.Turn.Exit();
        }
    }
}
