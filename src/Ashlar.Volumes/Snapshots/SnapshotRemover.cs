using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Gives back what was kept for snapshots that are deleted, in the background.</summary>
/// <remarks>
/// <para>The versions of a leaf are neighbours in the store. A place was taken in its birth generation and belongs to all versions from
/// then on up to the one before which the head let go of it. So a version that no snapshot needs any more owns what it has, the next
/// younger one has not, and the next older one cannot have, for it is older than the place. What has to be looked at is found by the
/// generation in which it was changed; nothing else of the volume is.</para>
/// <para>Crash order: a version goes in the batch of the leaf of the head, with the free space that it gives back, so that of map and
/// free space both or neither know of it. The record of the snapshot goes last; what a crash leaves is found by the next opening.</para>
/// </remarks>
class SnapshotRemover(PoolParts parts, Catalogue catalogue)
{
    const int StepLeaves = 256;

    /// <summary>Begins, or resumes, for all deleted snapshots of a volume. What clones need stays.</summary>
    public Task Begin(VolumeDevice volume) => parts.Work.Enqueue(
        "giving back the space of a deleted snapshot",
        volume.Record.Name,
        async cancellationToken => await RemoveAllAsync(volume, cancellationToken));

    /// <summary>A clone is gone: the snapshot that it came from may have been deleted.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask BeginParentAsync(VolumeParent parent)
    {
        if (catalogue.FindLineage(parent.Lineage) is not { } volume) return;
        await catalogue.RefreshNewestAsync(volume);
        if (volume.Snapshots.Any(each => each.State == SnapshotState.Deleting)) _ = Begin(volume);
    }

    /// <summary>Gives back what was kept for all deleted snapshots of a volume.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RemoveAllAsync(VolumeDevice volume, CancellationToken cancellationToken)
    {
        CorruptDataException? unreadable = null;
        foreach (var snapshot in volume.Snapshots.Where(each => each.State == SnapshotState.Deleting).ToArray())
        {
            try
            {
                if (!volume.IsCloned(snapshot.Generation)) await RemoveAsync(volume, snapshot, cancellationToken);
            }
            catch (CorruptDataException damage)
            {
                unreadable = damage; // The others go.
            }
        }

        if (unreadable is not null) throw unreadable;
    }

    /// <summary>Gives back what was kept for one.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    protected virtual async ValueTask RemoveAsync(VolumeDevice volume, SnapshotRecord snapshot, CancellationToken cancellationToken)
    {
        // What was kept for it in memory comes into the store first, or it would be found by nobody.
        await volume.PassWritersAsync();
        await parts.Committer.RunAsync(CommitScope.Flush);
        var before = volume.Snapshots.Select(each => each.Generation).Where(each => each < snapshot.Generation).DefaultIfEmpty(0).Max();
        var from = MapKeys.Change(volume.Lineage, before + 1, 0);
        var end = MapKeys.Change(volume.Lineage, snapshot.Generation + 1, 0);
        var unreadable = 0;
        var step = new List<(long LeafIndex, long Generation)>(StepLeaves);
        do
        {
            step.Clear();
            using (var cursor = parts.Store.Scan(KeyRange.Between(from, end)))
            {
                while (step.Count < StepLeaves && cursor.MoveNext())
                {
                    var (_, generation, leafIndex) = MapKeys.ReadChange(cursor.Key);
                    step.Add((leafIndex, generation));
                    from = [.. cursor.Key, 0];
                }
            }

            foreach (var (leafIndex, generation) in step)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await parts.Throttle.WaitAsync();
                if (!await TryDropAsync(volume, leafIndex, generation)) unreadable++;
            }
        }
        while (step.Count > 0);

        await parts.Committer.RunAsync(CommitScope.Flush);
        if (unreadable > 0) throw Unreadable(snapshot, unreadable);
        await catalogue.ForgetSnapshotAsync(volume, snapshot);
    }

    // Whether the version can go, or may not.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryDropAsync(VolumeDevice volume, long leafIndex, long generation)
    {
        while (true)
        {
            var outcome = await volume.DropVersionAsync(leafIndex, generation);
            if (outcome != DropOutcome.NotYet) return outcome != DropOutcome.Unreadable;
            await parts.Committer.RunAsync(CommitScope.Flush);
        }
    }

    static CorruptDataException Unreadable(SnapshotRecord snapshot, int count) => new(
        snapshot.Name,
        0,
        $"the map cannot be read in {count} places: what was kept for the snapshot there stays in use");
}
