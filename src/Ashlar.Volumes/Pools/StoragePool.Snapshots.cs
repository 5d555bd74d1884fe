using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    readonly ConcurrentDictionary<(long Lineage, long Generation), VolumeDevice> views = new();

    internal SnapshotTaker Taker { get; }

    internal SnapshotRemover SnapshotRemover { get; }

    internal SnapshotRestorer Restorer { get; }

    internal SnapshotDiff Diff => new(range => Store.Scan(range), Parts.Versions, () => Space.ChunkCount, Name);

    /// <summary>
    /// Takes a snapshot of a volume: what was acknowledged before the call is in it, what began after it is not. Durable when the call
    /// returns. Requests go on meanwhile.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">The name is not valid or taken, or the volume is thick.</exception>
    /// <exception cref="DeviceFullException">There is no room to write it down; the snapshot was not taken.</exception>
    public async ValueTask<SnapshotInfo> TakeSnapshotAsync(string volume, string snapshot) =>
        (await TakeSnapshotsAsync([(volume, snapshot)]))[0];

    /// <summary>Takes snapshots of several volumes at one instant: of two writes, one after the other, none has the second alone.</summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">A name is not valid or taken, or a volume is thick or named twice.</exception>
    /// <exception cref="DeviceFullException">There is no room to write them down; none was taken.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<IReadOnlyList<SnapshotInfo>> TakeSnapshotsAsync(IReadOnlyList<(string Volume, string Snapshot)> snapshots)
    {
        ArgumentNullException.ThrowIfNull(snapshots);
        ArgumentOutOfRangeException.ThrowIfZero(snapshots.Count, nameof(snapshots));
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var wanted = snapshots.Select(each => (Volume: Catalogue.Require(each.Volume), each.Snapshot)).ToArray();
        if (wanted.GroupBy(each => each.Volume).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new SnapshotException(
                twice.Key.Record.Name,
                twice.First().Snapshot,
                SnapshotProblem.NameTaken,
                "the volume is named twice: one instant has one snapshot");
        }

        var records = await Taker.TakeAsync(wanted);
        return [.. wanted.Zip(records, (each, record) => Describe(each.Volume, record))];
    }

    /// <summary>The snapshots of a volume, oldest first; with those that were deleted and that clones need.</summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    public IReadOnlyList<SnapshotInfo> ListSnapshots(string volume)
    {
        var device = Catalogue.Require(volume);
        return
        [
            .. device.Snapshots
                .Where(each => each.State == SnapshotState.Ready
                    || (each.State == SnapshotState.Deleting && device.IsCloned(each.Generation)))
                .Select(each => Describe(device, each)),
        ];
    }

    /// <summary>Names of the snapshots of a volume, oldest first, and nothing else of them; none where there is no such volume.</summary>
    public IReadOnlyList<string> ListSnapshotNames(string volume) => Catalogue.Find(volume) is { } device
        ? [.. device.Snapshots.Where(static each => each.State == SnapshotState.Ready).Select(static each => each.Name)]
        : [];

    /// <summary>A snapshot of a volume; null when there is none of that name.</summary>
    public SnapshotInfo? FindSnapshot(string volume, string snapshot) =>
        Catalogue.Find(volume) is { } device && device.FindSnapshot(snapshot) is { State: SnapshotState.Ready } record
            ? Describe(device, record)
            : null;

    /// <summary>
    /// Deletes snapshots of a volume, in any order: they are gone for everyone, durably, when the call returns. What was kept for them
    /// alone is given back in the background; the task ends with that. What clones need stays until they are gone or flattened.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">There is no such snapshot, or a volume goes back to it just now.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<Task> DeleteSnapshotsAsync(string volume, IReadOnlyList<string> snapshots)
    {
        ArgumentNullException.ThrowIfNull(snapshots);
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var device = Catalogue.Require(volume);
        var records = snapshots.Select(name => Catalogue.RequireSnapshot(device, name)).ToArray();
        await Catalogue.DeleteSnapshotsAsync(device, records, record => CloseView(record)?.EndMendsAsync() ?? ValueTask.CompletedTask);
        return SnapshotRemover.Begin(device);
    }

    /// <summary>Gives a snapshot another name.</summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">There is no such snapshot, or the new name is not valid or taken.</exception>
    public async ValueTask<SnapshotInfo> RenameSnapshotAsync(string volume, string snapshot, string newName)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var device = Catalogue.Require(volume);
        return Describe(device, await Catalogue.RenameSnapshotAsync(device, snapshot, newName));
    }

    /// <summary>
    /// A read-only device that shows a snapshot, one and the same for every caller; null when there is none of that name.
    /// </summary>
    public IBlockDevice? OpenSnapshot(string volume, string snapshot)
    {
        if (Catalogue.Find(volume) is not { } device) return null;
        return device.FindSnapshot(snapshot) is { } record ? OpenView(device, record.Generation) : null;
    }

    /// <summary>
    /// Tells what of a volume, as it is at each question, or of a snapshot of it, differs from an older snapshot; null when there is
    /// none of that name, or it is not older. It goes by identity: renaming changes nothing.
    /// </summary>
    public IChangeMap? OpenChanges(string volume, string? snapshot, string since)
    {
        if (Catalogue.Find(volume) is not { } device) return null;
        if (device.FindSnapshot(since) is not { State: SnapshotState.Ready } older) return null;
        if (snapshot is null) return new VolumeChanges(device, device, older.Generation);
        return device.FindSnapshot(snapshot) is { } younger && older.Generation < younger.Generation
            && OpenView(device, younger.Generation) is { } view
            ? new VolumeChanges(device, view, older.Generation)
            : null;
    }

    /// <summary>
    /// Creates a volume that begins as a snapshot is, at once; what neither changes both share. Durable when the call returns.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume, or the new name is not valid or taken.</exception>
    /// <exception cref="SnapshotException">There is no such snapshot.</exception>
    public async ValueTask<VolumeInfo> CloneAsync(string volume, string snapshot, string name)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        VolumeName.Check(name);
        return Describe(await Catalogue.CloneAsync(Catalogue.Require(volume), snapshot, name));
    }

    /// <summary>
    /// Gives a clone everything that it shares with its snapshot as its own; then the snapshot can go. Clients go on meanwhile. It may be
    /// stopped and called again.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">It has snapshots itself, which share with its own origin.</exception>
    /// <exception cref="DeviceFullException">The pool has no room for it; what was copied so far stays.</exception>
    public async ValueTask<VolumeInfo> FlattenAsync(
        string name, Action<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var clone = Catalogue.Require(name);
        var parent = clone.Parent;
        await Restorer.FlattenAsync(clone, progress, cancellationToken);
        if (parent is not null && clone.Parent is null) await SnapshotRemover.BeginParentAsync(parent);
        return Describe(clone);
    }

    /// <summary>
    /// Takes a volume back to one of its snapshots, size included. Until that is done requests fail; a crash does not change that. All
    /// snapshots stay. It costs what has changed since, in time and space.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">There is no such snapshot.</exception>
    public async ValueTask<VolumeInfo> RestoreSnapshotAsync(string volume, string snapshot, CancellationToken cancellationToken = default)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        var device = Catalogue.Require(volume);
        await Restorer.RestoreAsync(device, snapshot, cancellationToken);
        return Describe(device);
    }

    /// <summary>
    /// What of a snapshot differs from an older one of the volume, or, without one, holds data; in ascending order. What is named may hold
    /// the same all the same: it was written in between.
    /// </summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">There is no such snapshot, or the first is not older than the second.</exception>
    public IEnumerable<ChangedExtent> CompareSnapshots(string volume, string? from, string to)
    {
        ThrowIfClosed();
        var device = Catalogue.Require(volume);
        var (older, younger) = (from is null ? null : Catalogue.RequireSnapshot(device, from), Catalogue.RequireSnapshot(device, to));
        if (older is not null && older.Generation > younger.Generation)
            throw new SnapshotException(volume, from, SnapshotProblem.Unknown, $"it is not older than '{to}'");
        return WhileTheyAreThere(device, older, younger, Diff.Find(device, older?.Generation ?? 0, younger));
    }

    // What was kept for one that is deleted goes, and would look like zeros.
    static IEnumerable<ChangedExtent> WhileTheyAreThere(
        VolumeDevice volume, SnapshotRecord? older, SnapshotRecord younger, IEnumerable<ChangedExtent> extents)
    {
        foreach (var extent in extents)
        {
            Check();
            yield return extent;
        }

        Check();
        void Check()
        {
            foreach (var each in (SnapshotRecord?[])[older, younger])
            {
                if (each is null || volume.FindSnapshot(each.Name)?.Generation == each.Generation) continue;
                throw new SnapshotException(
                    volume.Record.Name, each.Name, SnapshotProblem.Unknown, "it was deleted or renamed meanwhile");
            }
        }
    }

    /// <summary>Bytes that deleting some snapshots of a volume would give back, together, by what is committed.</summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">There is no such snapshot.</exception>
    public long MeasureSnapshots(string volume, IReadOnlyCollection<string> snapshots, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(snapshots);
        ThrowIfClosed();
        var device = Catalogue.Require(volume);
        var selected = snapshots.Select(name => Catalogue.RequireSnapshot(device, name).Generation).ToHashSet();
        return new SnapshotSpace(Store, Space.ChunkCount, Name).Measure(device, selected, cancellationToken);
    }

    /// <summary>A volume as a snapshot of it is, by the generation; null when there is none, or none that can be read.</summary>
    internal VolumeDevice? OpenView(VolumeDevice volume, long generation)
    {
        SnapshotRecord? Find() =>
            volume.Snapshots.FirstOrDefault(each => each.Generation == generation && each.State == SnapshotState.Ready);
        if (Find() is not { } record) return null;
        var view = OpenView(volume, record);
        if (!volume.IsGone && Find() is not null) return view;
        CloseView(record); // It was deleted just now.
        return null;
    }

    VolumeDevice OpenView(VolumeDevice volume, SnapshotRecord snapshot) => views.GetOrAdd(
        (snapshot.Lineage, snapshot.Generation),
        _ => new VolumeDevice(
            Parts,
            volume.Record with { Name = $"{volume.Record.Name}@{snapshot.Name}", SizeBytes = snapshot.SizeBytes, IsThick = false },
            committedChunks: 0)
        {
            AsOf = snapshot.Generation,
        });

    void CloseViews(VolumeDevice volume)
    {
        foreach (var snapshot in volume.Snapshots) CloseView(snapshot);
    }

    VolumeDevice? CloseView(SnapshotRecord snapshot)
    {
        if (!views.TryRemove((snapshot.Lineage, snapshot.Generation), out var view)) return null;
        view.IsGone = true;
        Parts.Cache.Drop(view);
        return view;
    }

    SnapshotInfo Describe(VolumeDevice volume, SnapshotRecord record) => new(
        record.Id,
        volume.Record.Id,
        record.Name,
        record.SizeBytes,
        record.BlockSizeBytes,
        record.CreatedAt,
        record.Generation)
    {
        Clones = [.. Catalogue.FindClones(record).Select(each => each.Record.Name).Order(StringComparer.Ordinal)],
        IsDeleted = record.State == SnapshotState.Deleting,
    };

    VolumeInfo Describe(VolumeDevice volume)
    {
        var info = VolumeInfo.Of(volume) with
        {
            SnapshotCount = volume.Snapshots.Count(each => each.State == SnapshotState.Ready),
            IsImporting = SnapshotImporter.IsPartial(this, volume.Record.Name),
        };
        if (volume.Parent is not { } parent || Catalogue.FindLineage(parent.Lineage) is not { } source) return info;
        var snapshot = source.Snapshots.FirstOrDefault(each => each.Generation == parent.Generation);
        return info with { Origin = snapshot is null ? null : $"{source.Record.Name}@{snapshot.Name}" };
    }

    // Of which volumes snapshots there are, and which are clones.
    void TakeInSnapshots()
    {
        using (var cursor = Store.Scan(KeyRange.Prefix(MapKeys.Parents)))
            while (cursor.MoveNext())
                Parts.Versions.Parents[MapKeys.ReadNumber(cursor.Key)] = VolumeParent.Read(cursor.Value, Name);
    }

    static List<SnapshotRecord> LoadSnapshots(KeyValueStore store, long lineage, string where)
    {
        var records = new List<SnapshotRecord>();
        using var cursor = store.Scan(KeyRange.Between(MapKeys.Snapshot(lineage, 0), MapKeys.Snapshot(lineage + 1, 0)));
        while (cursor.MoveNext())
        {
            var record = SnapshotRecord.Read(cursor.Key, cursor.Value, where);
            // Nobody was told of one that did not come to be.
            records.Add(record.State == SnapshotState.Creating ? record with { State = SnapshotState.Deleting } : record);
        }

        return records;
    }
}
