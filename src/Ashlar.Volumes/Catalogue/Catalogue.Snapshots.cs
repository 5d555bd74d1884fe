using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Snapshots of volumes, and clones of them.
sealed partial class Catalogue
{
    /// <summary>The snapshot of a volume.</summary>
    /// <exception cref="SnapshotException">There is none of that name.</exception>
    public static SnapshotRecord RequireSnapshot(VolumeDevice volume, string name) =>
        volume.FindSnapshot(name) is { State: SnapshotState.Ready } snapshot
            ? snapshot
            : throw new SnapshotException(volume.Record.Name, name, SnapshotProblem.Unknown, "there is no such snapshot");

    /// <summary>
    /// Says durably that snapshots are about to be taken, and that the next generation begins; so no leaf of it is ever read by a life that
    /// does not know of it, and what is kept for them goes if they never come to be.
    /// </summary>
    /// <param name="wanted">The volumes, and the names of the snapshots.</param>
    /// <param name="current">The generation that ends.</param>
    /// <exception cref="SnapshotException">A name is not valid or taken, or a volume cannot have snapshots.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<IReadOnlyList<SnapshotRecord>> BeginCutAsync(
        IReadOnlyList<(VolumeDevice Volume, string Name)> wanted, long current)
    {
        await turn.EnterAsync();
        try
        {
            foreach (var (volume, name) in wanted) CheckNewSnapshot(volume, name);
            Invariant.Require(poolRecord.NextGeneration == current + 1);
            var next = poolRecord with { NextGeneration = current + 2 };
            var now = DateTimeOffset.FromUnixTimeMilliseconds(options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds());
            var batch = new WriteBatch();
            batch.Put(MapKeys.Pool, next.ToBytes());
            var records = new List<SnapshotRecord>();
            foreach (var (volume, name) in wanted)
            {
                var record = new SnapshotRecord(
                    volume.Lineage,
                    current,
                    options.Entropy.NextGuid(),
                    name,
                    SnapshotState.Creating,
                    volume.SizeBytes,
                    volume.BlockSizeBytes,
                    now);
                batch.Put(MapKeys.Snapshot(record.Lineage, record.Generation), record.ToBytes());
                records.Add(record);
            }

            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: false);
            poolRecord = next;
            foreach (var ((volume, _), record) in wanted.Zip(records)) volume.Snapshots = [.. volume.Snapshots, record];
            return records;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Memory learns that snapshots are there; the store knows.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<IReadOnlyList<SnapshotRecord>> EndCutAsync(
        IReadOnlyList<(VolumeDevice Volume, string Name)> taken, IReadOnlyList<SnapshotRecord> records)
    {
        await turn.EnterAsync();
        try
        {
            var ready = records.Select(record => record with { State = SnapshotState.Ready }).ToArray();
            foreach (var ((volume, _), record) in taken.Zip(ready)) volume.Replace(record);
            return ready;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>A snapshot was not taken, and that cannot be written now. The next opening finds it as it is: never taken.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask GiveUpCutAsync(VolumeDevice volume, SnapshotRecord record)
    {
        await turn.EnterAsync();
        try
        {
            volume.Replace(record with { State = SnapshotState.Deleting });
            volume.RefreshNewest();
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Looks again which snapshots of a volume need something: a clone of one is gone.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RefreshNewestAsync(VolumeDevice volume)
    {
        await turn.EnterAsync();
        try
        {
            volume.RefreshNewest();
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>
    /// Says durably that a volume goes back to a snapshot: from now on its requests fail, and the snapshot stays. A volume that could not
    /// be taken back before may go back to another one.
    /// </summary>
    /// <exception cref="SnapshotException">There is no such snapshot, or the volume goes back to one just now.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<SnapshotRecord> BeginRestoreAsync(VolumeDevice volume, string name)
    {
        await turn.EnterAsync();
        try
        {
            if (volume.IsGone) throw new VolumeDeletedException(volume.Name);
            var snapshot = RequireSnapshot(volume, name);
            if (volume.IsBeingCopied || volume.Snapshots.Any(each => each.State == SnapshotState.Creating))
            {
                throw new SnapshotException(
                    volume.Record.Name, name, SnapshotProblem.InUse, "the volume goes back to a snapshot, or one of it is taken, just now");
            }

            var value = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(value, snapshot.Generation);
            var batch = new WriteBatch();
            batch.Put(MapKeys.Restoring(volume.Lineage), value);
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: false);
            (volume.IsRestoring, volume.IsBeingCopied) = (true, true);
            return snapshot;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Deletes snapshots for everyone; what remains is to give back what was kept for them.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="snapshots">Which.</param>
    /// <param name="close">
    /// Called for each when it is deleted, before anybody writes to what was its own; null where nobody has it open.
    /// </param>
    /// <exception cref="SnapshotException">The volume has no snapshot of a name.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask DeleteSnapshotsAsync(
        VolumeDevice volume, IReadOnlyCollection<SnapshotRecord> snapshots, Func<SnapshotRecord, ValueTask>? close = null)
    {
        await turn.EnterAsync();
        try
        {
            if (volume.IsRestoring)
                throw new SnapshotException(volume.Record.Name, null, SnapshotProblem.InUse, "it goes back to a snapshot just now");
            var batch = new WriteBatch();
            var deleted = new List<SnapshotRecord>();
            foreach (var snapshot in snapshots)
            {
                if (volume.Snapshots.FirstOrDefault(each => each.Generation == snapshot.Generation) is not { } known) continue;
                if (known.State == SnapshotState.Deleting) continue;
                deleted.Add(known with { State = SnapshotState.Deleting });
                batch.Put(MapKeys.Snapshot(known.Lineage, known.Generation), deleted[^1].ToBytes());
            }

            if (deleted.Count == 0) return;
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: true);
            foreach (var record in deleted) volume.Replace(record);
            // Then the head may overwrite what they shared with it, where it lies.
            foreach (var record in deleted) if (close is not null) await close(record);
            volume.RefreshNewest();
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Forgets a deleted snapshot for which nothing is kept any more.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ForgetSnapshotAsync(VolumeDevice volume, SnapshotRecord snapshot)
    {
        await turn.EnterAsync();
        try
        {
            var batch = new WriteBatch();
            batch.Delete(MapKeys.Snapshot(snapshot.Lineage, snapshot.Generation));
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: true);
            volume.Snapshots = [.. volume.Snapshots.Where(each => each.Generation != snapshot.Generation)];
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Gives a snapshot another name.</summary>
    /// <exception cref="SnapshotException">The name is not valid, or taken, or there is no such snapshot.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<SnapshotRecord> RenameSnapshotAsync(VolumeDevice volume, string name, string newName)
    {
        await turn.EnterAsync();
        try
        {
            var record = RequireSnapshot(volume, name);
            if (newName == name) return record;
            CheckNewSnapshot(volume, newName);
            record = record with { Name = newName };
            var batch = new WriteBatch();
            batch.Put(MapKeys.Snapshot(record.Lineage, record.Generation), record.ToBytes());
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: false);
            volume.Replace(record);
            return record;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Creates a volume that begins as a snapshot is.</summary>
    /// <exception cref="VolumeNameException">The name is taken.</exception>
    /// <exception cref="SnapshotException">The snapshot is gone.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDevice> CloneAsync(VolumeDevice source, string snapshotName, string name)
    {
        await turn.EnterAsync();
        try
        {
            if (source.IsGone) throw new VolumeDeletedException(source.Name);
            var snapshot = RequireSnapshot(source, snapshotName);
            var parent = new VolumeParent(source.Lineage, snapshot.Generation);
            return await CreateLockedAsync(
                name, new VolumeOptions { SizeBytes = snapshot.SizeBytes, BlockSizeBytes = snapshot.BlockSizeBytes }, parent);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>A clone has everything itself, or is gone: it needs the snapshot no longer. Durable when the call returns.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ForgetParentAsync(VolumeDevice clone)
    {
        await turn.EnterAsync();
        try
        {
            var batch = new WriteBatch();
            batch.Delete(MapKeys.Parent(clone.Lineage));
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: true);
            parents.TryRemove(clone.Lineage, out _);
            clone.Parent = null;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>The clones of a snapshot, those in the trash included.</summary>
    public IEnumerable<VolumeDevice> FindClones(SnapshotRecord snapshot) =>
        volumes.Values.Concat(trash.Values).Distinct()
            .Where(volume => volume.Parent == new VolumeParent(snapshot.Lineage, snapshot.Generation));

    void CheckDeletable(VolumeDevice volume, bool withSnapshots)
    {
        foreach (var snapshot in volume.Snapshots)
        {
            if (FindClones(snapshot).FirstOrDefault() is { } clone)
            {
                throw new SnapshotException(
                    volume.Record.Name,
                    snapshot.Name,
                    SnapshotProblem.InUse,
                    $"volume '{clone.Record.Name}' is a clone of it: flatten or delete that first");
            }

            if (volume.IsCloned(snapshot.Generation))
            {
                throw new SnapshotException(
                    volume.Record.Name, snapshot.Name, SnapshotProblem.InUse, "a clone of it is still being deleted");
            }

            if (snapshot.State == SnapshotState.Creating)
                throw new SnapshotException(volume.Record.Name, snapshot.Name, SnapshotProblem.InUse, "it is just being taken");
        }

        var count = volume.Snapshots.Count(each => each.State == SnapshotState.Ready);
        if (count > 0 && !withSnapshots)
        {
            throw new SnapshotException(
                volume.Record.Name, null, SnapshotProblem.InUse, $"it has {count} snapshots, which must go first or with it");
        }
    }

    static void CheckNewSnapshot(VolumeDevice volume, string name)
    {
        if (!VolumeName.IsValid(name))
            throw new SnapshotException(volume.Record.Name, name, SnapshotProblem.InvalidName, VolumeName.Rule);
        if (volume.IsGone) throw new VolumeDeletedException(volume.Name);
        if (volume.Record.State != VolumeState.Ready)
            throw new SnapshotException(volume.Record.Name, name, SnapshotProblem.InUse, "the volume is just being resized");
        if (volume.IsRestoring)
            throw new SnapshotException(volume.Record.Name, name, SnapshotProblem.InUse, "the volume is just going back to a snapshot");
        if (volume.IsThick)
        {
            throw new SnapshotException(
                volume.Record.Name,
                name,
                SnapshotProblem.NotSupported,
                "a thick volume has no snapshots: overwriting it would need space that it was not promised");
        }

        if (volume.FindSnapshot(name) is not null)
            throw new SnapshotException(volume.Record.Name, name, SnapshotProblem.NameTaken, "the name is taken");
    }
}
