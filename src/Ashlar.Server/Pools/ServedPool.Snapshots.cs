using System.Diagnostics.CodeAnalysis;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <remarks>
/// A snapshot that clients read has a front, as a volume has; it is known by its identity, so that renaming changes nothing for them.
/// </remarks>
sealed partial class ServedPool
{
    readonly Dictionary<Guid, ServedVolume> openSnapshots = [];
    readonly Dictionary<Guid, int> exporting = []; // Streams of a snapshot that are being read.
    readonly List<string> taking = []; // Volumes of which a snapshot is being taken.

    /// <summary>Fails unless there is such a volume.</summary>
    public IReadOnlyList<SnapshotInfo> ListSnapshots(string volume) => pool.ListSnapshots(Get(volume).Name);

    public SnapshotInfo GetSnapshot(string volume, string snapshot) =>
        pool.FindSnapshot(Get(volume).Name, snapshot) ?? throw SnapshotNotFound(volume, snapshot);

    public SnapshotInfo? FindSnapshot(string volume, string snapshot) => pool.FindSnapshot(volume, snapshot);

    /// <summary>Who reads a snapshot.</summary>
    public VolumeClients ClientsOf(SnapshotInfo snapshot)
    {
        lock (gate) return openSnapshots.TryGetValue(snapshot.Id, out var opened) ? opened.Clients : new(0, 0);
    }

    /// <summary>Bytes that deleting snapshots of a volume would give back, together.</summary>
    public long Measure(string volume, IReadOnlyCollection<string> snapshots) => pool.MeasureSnapshots(Get(volume).Name, snapshots);

    /// <summary>Attaches a client to a snapshot, which it can only read; false when there is none of that name.</summary>
    public bool TryAttachSnapshot(
        string volume,
        string snapshot,
        ClientIdentity client,
        [NotNullWhen(true)] out ServedVolume? served,
        [NotNullWhen(true)] out ClientSession? session)
    {
        (served, session) = (null, null);
        lock (gate) // As of volumes: whoever looks for readers and then deletes has seen all of them.
        {
            if (isClosing || pool.FindSnapshot(volume, snapshot) is not { } info) return false;
            if (!openSnapshots.TryGetValue(info.Id, out served))
            {
                if (pool.OpenSnapshot(volume, snapshot) is not { } device) return false;
                var shown = new VolumeInfo(info.Id, $"{volume}@{snapshot}", info.SizeBytes, info.BlockSizeBytes, 0, info.CreatedAt);
                served = openSnapshots[info.Id] = new ServedVolume(shown, $"{Name}/{shown.Name}", device, report, timeProvider)
                {
                    SnapshotOf = info.VolumeId,
                };
            }

            if (guard?.Decide(info.VolumeId, snapshot, client) is { IsAllowed: false }) return false;
            try
            {
                session = served.Front.Attach(client);
                return true;
            }
            catch (SessionFencedException)
            {
                return false; // Being deleted.
            }
        }
    }

    /// <summary>Takes snapshots of several volumes at one instant, or none.</summary>
    public async Task<IReadOnlyList<SnapshotInfo>> TakeSnapshotsAsync(IReadOnlyList<NewSnapshot> wanted, string by)
    {
        if (wanted.Count == 0) throw new ApiException(ProblemKind.InvalidRequest, "'snapshots' is empty: name one at least");
        foreach (var each in wanted) Get(each.Volume);
        lock (gate)
        {
            // One that goes back, or is imported into, has no state of its own just now.
            if (wanted.FirstOrDefault(each => leaving.Contains(each.Volume)) is { } busy) throw Busy(busy.Volume);
            taking.AddRange(wanted.Select(each => each.Volume));
        }
        try
        {
            var taken = await pool.TakeSnapshotsAsync([.. wanted.Select(each => (each.Volume, each.Name))]);
            foreach (var (asked, info) in wanted.Zip(taken)) report(SnapshotEvents.Created(Name, asked.Volume, info, by));
            return taken;
        }
        finally
        {
            lock (gate)
            {
                foreach (var each in wanted) taking.Remove(each.Volume);
            }
        }
    }

    public async Task<SnapshotInfo> RenameSnapshotAsync(string volume, string snapshot, string newName, string by)
    {
        GetSnapshot(volume, snapshot);
        var renamed = await pool.RenameSnapshotAsync(volume, snapshot, newName);
        if (newName == snapshot) return renamed;
        lock (gate)
        {
            if (openSnapshots.TryGetValue(renamed.Id, out var opened)) opened.Path = $"{Name}/{volume}@{newName}";
        }
        report(SnapshotEvents.Renamed(Name, volume, renamed, snapshot, by));
        return renamed;
    }

    /// <summary>Deletes snapshots of a volume, all of them or none; what was kept for them alone follows.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="snapshots">Their names.</param>
    /// <param name="force">Whether clients may read them; they are cut off.</param>
    /// <param name="by">Address of who asks for it, for the log.</param>
    /// <returns>Bytes that are given back.</returns>
    public async Task<long> DeleteSnapshotsAsync(string volume, IReadOnlyList<string> snapshots, bool force, string by)
    {
        var found = snapshots.Distinct(StringComparer.Ordinal).Select(name => GetSnapshot(volume, name)).ToArray();
        string[] names = [.. found.Select(each => each.Name)];
        var freed = names.Length == 0 ? 0 : pool.MeasureSnapshots(volume, names);
        var cutOff = await CutOffAsync(volume, found, force);
        try
        {
            await pool.DeleteSnapshotsAsync(volume, names);
        }
        finally
        {
            Forget(cutOff);
        }
        foreach (var info in found) report(SnapshotEvents.Deleted(Name, volume, info, by));
        return freed;
    }

    /// <summary>Takes a volume back to a snapshot; nobody is attached, and nobody is let in before it is there.</summary>
    public async Task<VolumeInfo> RestoreAsync(string volume, string snapshot, string by)
    {
        var wanted = GetSnapshot(volume, snapshot);
        using var alone = KeepEverybodyOut(volume);
        // Cancelled by nobody: who asked may leave, a volume between two states is of no use to anyone.
        var restored = await pool.RestoreSnapshotAsync(volume, snapshot);
        if (OpenedOf(restored.Id) is { } opened) opened.Front.Report(new(VolumeEventKind.CapacityChanged));
        report(SnapshotEvents.Restored(Name, volume, wanted, by));
        return restored;
    }

    public async Task<VolumeInfo> CloneAsync(string volume, string snapshot, string name, string by)
    {
        var origin = GetSnapshot(volume, snapshot);
        try
        {
            var clone = await pool.CloneAsync(volume, snapshot, name);
            report(SnapshotEvents.Cloned(Name, volume, origin, clone, by));
            return clone;
        }
        catch (VolumeNameException e) when (e.Problem == VolumeNameProblem.Taken)
        {
            throw Exists(name);
        }
    }

    public async Task<VolumeInfo> FlattenAsync(string volume, string by)
    {
        var before = Get(volume);
        var flat = await pool.FlattenAsync(volume);
        if (before.Origin is { } origin) report(SnapshotEvents.Flattened(Name, flat, origin, by));
        return flat;
    }

    /// <summary>What of a snapshot differs from an older one, or holds data.</summary>
    public IEnumerable<ChangedExtent> Compare(string volume, string? since, string snapshot)
    {
        GetSnapshot(volume, snapshot);
        if (since is not null) GetSnapshot(volume, since);
        return pool.CompareSnapshots(volume, since, snapshot);
    }

    /// <summary>Names of the snapshots of a volume that are older than one of them, or than the volume as it is; oldest first.</summary>
    public IReadOnlyList<string> ListOlder(string volume, string? snapshot) =>
        [.. pool.ListSnapshotNames(volume).TakeWhile(name => name != snapshot)];

    /// <summary>Tells what of a volume, or of a snapshot of it, has changed since an older one; null where there is none.</summary>
    public IChangeMap? OpenChanges(string volume, string? snapshot, string since) =>
        pool.OpenChanges(volume, snapshot, since);

    /// <summary>Looks whether a stream can be made, while that can still be said.</summary>
    public SnapshotStreamHeader DescribeStream(string volume, string snapshot, string? since)
    {
        GetSnapshot(volume, snapshot);
        if (since is not null) GetSnapshot(volume, since);
        return pool.DescribeStream(volume, snapshot, since);
    }

    /// <summary>Writes a snapshot as a stream; it counts as somebody who reads both.</summary>
    public async Task ExportSnapshotAsync(
        string volume, string snapshot, string? since, Stream target, CancellationToken cancellationToken)
    {
        Guid[] read = [GetSnapshot(volume, snapshot).Id, .. since is null ? [] : (Guid[])[GetSnapshot(volume, since).Id]];
        lock (gate)
        {
            foreach (var id in read) exporting[id] = exporting.GetValueOrDefault(id) + 1;
        }
        try
        {
            await pool.ExportSnapshotAsync(volume, snapshot, since, target, progress: null, cancellationToken);
        }
        finally
        {
            lock (gate)
            {
                foreach (var id in read)
                    if (--exporting[id] == 0) exporting.Remove(id);
            }
        }
    }

    /// <summary>Makes a volume of a stream, or goes on with one; nobody is attached, and nobody is let in meanwhile.</summary>
    public async Task<SnapshotInfo> ImportSnapshotAsync(
        string volume, Stream source, bool mayRevert, string by, CancellationToken cancellationToken)
    {
        StoragePool.CheckVolumeName(volume);
        using var alone = KeepEverybodyOut(volume);
        try
        {
            var imported = await pool.ImportSnapshotAsync(
                volume, source, new SnapshotImportOptions { MayRevert = mayRevert }, progress: null, cancellationToken);
            if (OpenedOf(imported.VolumeId) is { } opened) opened.Front.Report(new(VolumeEventKind.CapacityChanged));
            report(SnapshotEvents.Imported(Name, volume, imported, by));
            return imported;
        }
        catch (VolumeNameException e) when (e.Problem == VolumeNameProblem.Taken)
        {
            throw Exists(volume);
        }
    }

    /// <summary>How snapshots of a volume are taken and kept by themselves; null where none are.</summary>
    public SnapshotSchedule? ScheduleOf(VolumeInfo volume) =>
        SnapshotRetention.Read(pool.ReadNote(volume.Id, SnapshotScheduler.ScheduleNote)) is { IsNone: false } retention
            ? retention.ToSchedule()
            : null;

    /// <summary>Whether a schedule took it.</summary>
    public bool IsScheduled(SnapshotInfo snapshot) => pool.ReadNote(snapshot.Id, SnapshotScheduler.ScheduledNote) is not null;

    /// <summary>Whether clients or exports read it.</summary>
    public bool IsRead(SnapshotInfo snapshot)
    {
        lock (gate) return exporting.ContainsKey(snapshot.Id) || ClientsOf(snapshot).Total > 0;
    }

    /// <summary>Takes snapshots that are due, and deletes those that need not stay.</summary>
    public Task KeepSchedulesAsync() => schedules.LookAsync();

    SnapshotRetention CheckSchedule(VolumeInfo volume, SnapshotSchedule schedule)
    {
        if (volume.IsThick)
            throw new ApiException(ProblemKind.NotSupported, $"volume {Name}/{volume.Name} is thick, and a thick volume has no snapshots");
        return SnapshotRetention.Of(schedule);
    }

    async Task ScheduleAsync(VolumeInfo volume, SnapshotRetention retention, string by)
    {
        await pool.WriteNoteAsync(volume.Id, SnapshotScheduler.ScheduleNote, retention.IsNone ? null : retention.ToBytes());
        report(VolumeEvents.Scheduled(Name, volume, retention, by));
        _ = schedules.LookAsync(); // One is due at once.
    }

    // Before anybody is cut off.
    void CheckSnapshotsMayGo(VolumeInfo volume, bool withSnapshots)
    {
        if (volume.SnapshotCount > 0 && !withSnapshots)
        {
            throw new ApiException(
                ProblemKind.HasSnapshots, $"volume {Name}/{volume.Name} has snapshots: {volume.SnapshotCount}, which would go with it");
        }
        var needed = pool.ListSnapshots(volume.Name).FirstOrDefault(each => each.Clones.Count > 0);
        if (needed is null) return;
        var clone = needed.Clones[0];
        var isTrashed = pool.FindVolume(clone)?.Origin is null && pool.ListTrash().Any(each => each.Volume.Name == clone);
        var message = $"snapshot {Name}/{volume.Name}@{needed.Name} is needed by its clone {Name}/{clone}";
        throw isTrashed
            ? new ApiException(ProblemKind.Needed, $"{message}, which is in the trash")
            {
                Hint = "take the clone out of the trash and flatten it, or empty the trash of it",
            }
            : new ApiException(ProblemKind.Needed, message) { Hint = "flatten or delete the clone first" };
    }

    // Before a volume goes with its snapshots: who reads them is a client of it, too.
    async Task<IReadOnlyList<ServedVolume>> CutOffSnapshotsAsync(string volume, bool force) =>
        await CutOffAsync(volume, [.. pool.ListSnapshots(volume).Where(each => !each.IsDeleted)], force);

    async Task<IReadOnlyList<ServedVolume>> CutOffAsync(string volume, IReadOnlyList<SnapshotInfo> snapshots, bool force)
    {
        ServedVolume[] opened;
        lock (gate)
        {
            foreach (var info in snapshots)
            {
                if (!force && exporting.ContainsKey(info.Id))
                    throw new ApiException(ProblemKind.InUse, $"snapshot {Name}/{volume}@{info.Name} is in use: it is being exported");
                if (!force && openSnapshots.TryGetValue(info.Id, out var used) && used.Clients is { Total: > 0 } clients)
                    throw new ApiException(ProblemKind.InUse, $"snapshot {Name}/{volume}@{info.Name} is in use: {Describe(clients)}");
            }
            opened = [.. snapshots.Select(info => openSnapshots.GetValueOrDefault(info.Id)).OfType<ServedVolume>()];
        }
        foreach (var each in opened)
        {
            if (await each.Front.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: force)) continue;
            Forget(opened);
            throw new ApiException(ProblemKind.InUse, $"snapshot {each.Path} is in use: {Describe(each.Clients)}");
        }
        return opened;
    }

    // What was closed to clients stays so; where the snapshot is there after all the next one gets another front.
    void Forget(IReadOnlyList<ServedVolume> closed)
    {
        lock (gate)
        {
            foreach (var each in closed)
                if (each.Front.IsClosed) openSnapshots.Remove(each.Id);
        }
    }

    Alone KeepEverybodyOut(string volume)
    {
        lock (gate)
        {
            if (leaving.Contains(volume) || taking.Contains(volume)) throw Busy(volume);
            if (OpenedOf(volume)?.Clients is { Total: > 0 } clients) throw InUse(volume, clients, "disconnect the clients first");
            leaving.Add(volume);
            return new Alone(this, volume);
        }
    }

    ApiException Busy(string volume) => new(
        ProblemKind.Needed, $"volume {Name}/{volume} is being deleted, renamed, restored, or imported, or a snapshot is being taken")
    {
        Hint = "wait for the end of that",
    };

    ApiException SnapshotNotFound(string volume, string snapshot) =>
        new(ProblemKind.SnapshotNotFound, $"there is no snapshot {Name}/{volume}@{snapshot}");

    /// <summary>A volume that nobody is attached to, and nobody is let in to.</summary>
    sealed class Alone(ServedPool owner, string volume) : IDisposable
    {
        public void Dispose()
        {
            lock (owner.gate) owner.leaving.Remove(volume);
        }
    }
}
