using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Names and records of a pool's volumes. Every change is one write of the store, under a turn that is held for that write only;
/// memory follows the store, so a write that was refused has changed nothing. Whatever takes longer is for others, in steps.
/// </summary>
sealed partial class Catalogue(
    PoolRecord poolRecord,
    MetadataWriter writer,
    PoolOptions options,
    ConcurrentDictionary<long, VolumeParent> parents,
    Func<VolumeRecord, VolumeDevice> attach)
{
    readonly ConcurrentDictionary<string, VolumeDevice> volumes = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<Guid, VolumeDevice> trash = new();
    readonly AsyncLock turn = new();
    PoolRecord poolRecord = poolRecord;

    /// <summary>All volumes that were created to the end and are not deleted; each once, though two names may find it just now.</summary>
    public IEnumerable<VolumeDevice> Volumes => volumes.Values.Distinct().Where(volume => !volume.Record.IsBeingCreated);

    /// <summary>The volume; null when there is none of that name.</summary>
    public VolumeDevice? Find(string name) =>
        volumes.TryGetValue(name, out var volume) && !volume.Record.IsBeingCreated ? volume : null;

    /// <summary>The volume.</summary>
    /// <exception cref="VolumeNameException">There is none of that name.</exception>
    public VolumeDevice Require(string name) =>
        Find(name) ?? throw new VolumeNameException(name, VolumeNameProblem.Unknown, "there is no such volume");

    /// <summary>The volume whose leaves are kept under a number; null when there is none.</summary>
    public VolumeDevice? FindLineage(long lineage) =>
        volumes.Values.Concat(trash.Values).FirstOrDefault(volume => volume.Lineage == lineage);

    /// <summary>The volumes in the trash, the oldest there first. Nobody finds them by a name.</summary>
    public IReadOnlyList<VolumeDevice> Trash => trash.IsEmpty ? [] :
        [.. trash.Values.Where(volume => volume.Record.Trashed is not null)
            .OrderBy(volume => volume.Record.Trashed!.Value.Since).ThenBy(volume => volume.Record.Id)];

    /// <summary>Takes in a volume that was found at opening; false when its name is taken.</summary>
    public bool TryAdd(VolumeDevice volume) =>
        volume.Record.Trashed is null ? volumes.TryAdd(volume.Record.Name, volume) : trash.TryAdd(volume.Record.Id, volume);

    /// <summary>Runs something while nobody creates, clones or deletes anything.</summary>
    public void Exclude(Action action)
    {
        Blocking.Wait(turn.EnterAsync());
        try
        {
            action();
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Creates the record of a volume, and takes its name. A thick one is not there for anybody before it is filled.</summary>
    /// <exception cref="VolumeNameException">The name is taken.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDevice> CreateAsync(string name, VolumeOptions volumeOptions)
    {
        await turn.EnterAsync();
        try
        {
            return await CreateLockedAsync(name, volumeOptions, parent: null);
        }
        finally
        {
            turn.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<VolumeDevice> CreateLockedAsync(string name, VolumeOptions volumeOptions, VolumeParent? parent)
    {
        if (volumes.ContainsKey(name)) throw new VolumeNameException(name, VolumeNameProblem.Taken, "the name is taken");
        var record = new VolumeRecord(
            options.Entropy.NextGuid(),
            name,
            volumeOptions.IsThick ? VolumeState.Resizing : VolumeState.Ready,
            volumeOptions.IsThick,
            poolRecord.NextLineage,
            Generation: 1,
            volumeOptions.IsThick ? 0 : volumeOptions.SizeBytes,
            volumeOptions.BlockSizeBytes,
            DateTimeOffset.FromUnixTimeMilliseconds(options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds()))
        {
            Limits = volumeOptions.Limits,
            Attributes = volumeOptions.Attributes,
        };
        var next = poolRecord with { NextLineage = poolRecord.NextLineage + 1 };
        var batch = new WriteBatch();
        batch.Put(MapKeys.Pool, next.ToBytes());
        batch.Put(MapKeys.Volume(record.Id), record.ToBytes());
        if (parent is not null) batch.Put(MapKeys.Parent(record.Lineage), parent.ToBytes());
        await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: false);
        poolRecord = next;
        if (parent is not null) Invariant.Require(parents.TryAdd(record.Lineage, parent));
        var volume = attach(record);
        Invariant.Require(volumes.TryAdd(name, volume));
        return volume;
    }

    /// <summary>Changes state and size in a volume's record.</summary>
    /// <exception cref="VolumeDeletedException">The volume was deleted meanwhile.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RememberAsync(VolumeDevice volume, VolumeState state, long sizeBytes, bool mayUseReserve)
    {
        await turn.EnterAsync();
        try
        {
            if (volume.Record.State == VolumeState.Deleting) throw new VolumeDeletedException(volume.Name);
            await WriteAsync(volume, volume.Record with { State = state, SizeBytes = sizeBytes }, mayUseReserve);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Changes what clients may ask of a volume.</summary>
    /// <exception cref="VolumeDeletedException">The volume was deleted meanwhile.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask LimitAsync(VolumeDevice volume, Func<RateLimits, RateLimits> change)
    {
        await turn.EnterAsync();
        try
        {
            if (volume.IsGone) throw new VolumeDeletedException(volume.Name);
            var limits = change(volume.Record.Limits);
            if (limits != volume.Record.Limits) await WriteAsync(volume, volume.Record with { Limits = limits }, mayUseReserve: false);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Changes what people say of a volume.</summary>
    /// <exception cref="VolumeDeletedException">The volume was deleted meanwhile.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask DescribeAsync(VolumeDevice volume, Func<VolumeAttributes, VolumeAttributes> change)
    {
        await turn.EnterAsync();
        try
        {
            if (volume.IsGone) throw new VolumeDeletedException(volume.Name);
            var attributes = change(volume.Record.Attributes);
            attributes.Check();
            if (attributes != volume.Record.Attributes)
                await WriteAsync(volume, volume.Record with { Attributes = attributes }, mayUseReserve: false);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Gives a volume another name. For a moment both find it.</summary>
    /// <exception cref="VolumeNameException">There is none of that name, or the new one is taken.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDevice> RenameAsync(string name, string newName)
    {
        await turn.EnterAsync();
        try
        {
            var volume = Require(name);
            if (newName == name) return volume;
            if (volumes.ContainsKey(newName)) throw new VolumeNameException(newName, VolumeNameProblem.Taken, "the name is taken");
            await WriteAsync(volume, volume.Record with { Name = newName }, mayUseReserve: false);
            Invariant.Require(volumes.TryAdd(newName, volume));
            Invariant.Require(volumes.TryRemove(KeyValuePair.Create(name, volume)));
            return volume;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Deletes a volume for everyone; what remains is to give its space back.</summary>
    /// <exception cref="VolumeNameException">There is none of that name.</exception>
    /// <exception cref="SnapshotException">It has snapshots that are not to go, or that clones need.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDevice> DeleteAsync(string name, bool withSnapshots)
    {
        await turn.EnterAsync();
        try
        {
            var volume = Require(name);
            CheckDeletable(volume, withSnapshots);
            await DeleteAsync(volume);
            return volume;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Moves a volume to the trash: gone for everyone, its name free, its blocks kept.</summary>
    /// <remarks>
    /// Crash order: one write of the record is all of it, so a crash leaves the volume as it was or in the trash. Its state stays: one that
    /// is being resized goes on with that there, and after a crash at the next opening.
    /// </remarks>
    /// <exception cref="VolumeNameException">There is none of that name.</exception>
    /// <exception cref="SnapshotException">It has snapshots that are not to go, or that clones need.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDevice> TrashAsync(string name, TimeSpan retention, bool withSnapshots)
    {
        await turn.EnterAsync();
        try
        {
            var volume = Require(name);
            CheckDeletable(volume, withSnapshots);
            if (volume.IsRestoring)
                throw new SnapshotException(name, null, SnapshotProblem.InUse, "it goes back to a snapshot just now");
            var now = DateTimeOffset.FromUnixTimeMilliseconds(options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds());
            await WriteAsync(volume, volume.Record with { Trashed = (now, now + retention) }, mayUseReserve: true);
            volume.IsGone = true;
            Invariant.Require(trash.TryAdd(volume.Record.Id, volume)); // Before its name goes: whoever looks for its lineage finds it.
            Invariant.Require(volumes.TryRemove(KeyValuePair.Create(volume.Record.Name, volume)));
            return volume;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Takes a volume out of the trash; null when it is not there.</summary>
    /// <exception cref="VolumeNameException">The name that it is to have is taken.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDevice?> RestoreAsync(Guid id, string? newName)
    {
        await turn.EnterAsync();
        try
        {
            if (!trash.TryGetValue(id, out var volume)) return null;
            var name = newName ?? volume.Record.Name;
            if (volumes.ContainsKey(name)) throw new VolumeNameException(name, VolumeNameProblem.Taken, "the name is taken");
            await WriteAsync(volume, volume.Record with { Name = name, Trashed = null }, mayUseReserve: true);
            volume.IsGone = false;
            Invariant.Require(volumes.TryAdd(name, volume));
            Invariant.Require(trash.TryRemove(KeyValuePair.Create(id, volume)));
            return volume;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Deletes a volume that is in the trash; null when it is not there. What remains is to give its space back.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDevice?> PurgeAsync(Guid id)
    {
        await turn.EnterAsync();
        try
        {
            if (!trash.TryGetValue(id, out var volume)) return null;
            await MarkDeletingAsync(volume);
            Invariant.Require(trash.TryRemove(KeyValuePair.Create(id, volume)));
            return volume;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Deletes a volume that was not created to the end.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask AbandonAsync(VolumeDevice volume)
    {
        await turn.EnterAsync();
        try
        {
            Invariant.Require(volume.Record.IsBeingCreated);
            await DeleteAsync(volume);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Forgets a deleted volume that owns nothing any more.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="last">What goes with its record.</param>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ForgetAsync(VolumeDevice volume, WriteBatch last)
    {
        Invariant.Require(volume.Record.State == VolumeState.Deleting);
        Invariant.Require(!parents.Values.Any(origin => origin.Lineage == volume.Lineage)); // Or clones would find nothing.
        last.Delete(MapKeys.Usage(volume.Lineage));
        if (parents.ContainsKey(volume.Lineage)) last.Delete(MapKeys.Parent(volume.Lineage));
        last.Delete(MapKeys.Volume(volume.Record.Id));
        await writer.WriteAsync(last, Durability.Sync, mayUseReserve: true);
        parents.TryRemove(volume.Lineage, out _);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask DeleteAsync(VolumeDevice volume)
    {
        await MarkDeletingAsync(volume);
        volume.IsGone = true;
        Invariant.Require(volumes.TryRemove(KeyValuePair.Create(volume.Record.Name, volume)));
    }

    // With its snapshots.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask MarkDeletingAsync(VolumeDevice volume)
    {
        var deleting = volume.Record with { State = VolumeState.Deleting };
        var snapshots = volume.Snapshots.Select(each => each with { State = SnapshotState.Deleting }).ToArray();
        var batch = new WriteBatch();
        batch.Put(MapKeys.Volume(deleting.Id), deleting.ToBytes());
        foreach (var snapshot in snapshots) batch.Put(MapKeys.Snapshot(snapshot.Lineage, snapshot.Generation), snapshot.ToBytes());
        await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: true);
        (volume.Record, volume.Snapshots) = (deleting, snapshots);
        volume.RefreshNewest();
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteAsync(VolumeDevice volume, VolumeRecord record, bool mayUseReserve)
    {
        var batch = new WriteBatch();
        batch.Put(MapKeys.Volume(record.Id), record.ToBytes());
        await writer.WriteAsync(batch, Durability.Sync, mayUseReserve);
        volume.Record = record;
    }
}
