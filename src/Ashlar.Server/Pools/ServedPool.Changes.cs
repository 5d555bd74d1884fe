using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <remarks>
/// What takes long may find a volume under another name than it began with, and another volume under that one. So a change that has
/// begun goes by the volume's identity.
/// </remarks>
sealed partial class ServedPool
{
    /// <summary>
    /// Changes size, limits, what is said of it, schedule of snapshots and name, in this order. What is not valid is refused before
    /// anything is changed. The log has an entry for each thing that has changed, also where another one failed after it.
    /// </summary>
    /// <param name="name">The volume.</param>
    /// <param name="request">What it is to be.</param>
    /// <param name="by">Address of who asks for it, for the log.</param>
    public async Task<VolumeInfo> ChangeAsync(string name, ChangeVolume request, string by)
    {
        var current = Get(name);
        if (request is
            {
                SizeBytes: null, Limits: null, Name: null, Description: null, Labels: null, TrashSeconds: null, SnapshotSchedule: null,
            })
        {
            throw new ApiException(
                ProblemKind.InvalidRequest,
                "nothing to change: the request has no 'sizeBytes', 'limits', 'name', 'description', 'labels', "
                + "'trashSeconds' or 'snapshotSchedule'");
        }
        var isDescribed = VolumeDescribing.Apply(request, current.Attributes) != current.Attributes;
        var retention = request.SnapshotSchedule is null ? null : CheckSchedule(current, request.SnapshotSchedule);
        VolumeLimiting.Apply(request.Limits, current.Limits);
        if (request.SizeBytes is { } sizeBytes) CheckNewSize(current, sizeBytes, request);
        if (request.Name is { } newName) CheckNewName(current, newName, request);
        try
        {
            var changed = current;
            if (request.SizeBytes is { } asked) changed = await ResizeAsync(current, asked, request, by);
            if (request.Limits is not null) changed = await LimitAsync(changed, request.Limits, by);
            if (isDescribed) changed = await DescribeAsync(changed, request, by);
            if (retention is not null) await ScheduleAsync(changed, retention, by);
            return request.Name is null ? changed : await RenameAsync(changed, request.Name, request.Force, by);
        }
        catch (VolumeNameException e) when (e.Problem == VolumeNameProblem.Taken)
        {
            throw Exists(request.Name!);
        }
        catch (Exception e) when (e is VolumeDeletedException or VolumeNameException)
        {
            throw NotFound(name);
        }
    }

    async Task<VolumeInfo> ResizeAsync(VolumeInfo current, long sizeBytes, ChangeVolume request, string by)
    {
        var isShrinking = sizeBytes < current.SizeBytes;
        var guard = isShrinking && !request.Force ? KeepOut(current, sizeBytes) : null;
        try
        {
            // What was to make it larger cuts nothing off, though somebody else may have made it larger still meanwhile.
            var mayShrink = isShrinking || request is { AllowShrink: true, Force: true };
            var changed = await pool.ResizeVolumeAsync(current.Name, sizeBytes, mayShrink);
            if (changed.SizeBytes == current.SizeBytes) return changed;
            OpenedOf(current.Id)?.Front.Report(new(VolumeEventKind.CapacityChanged));
            report(VolumeEvents.Resized(Name, changed, current.SizeBytes, by));
            return changed;
        }
        catch (ArgumentOutOfRangeException) when (!isShrinking && Find(current.Id) is { } now && now.SizeBytes > sizeBytes)
        {
            throw WouldShrink(now, sizeBytes);
        }
        finally
        {
            if (guard is not null) LetIn(guard);
        }
    }

    /// <summary>Keeps clients out until a volume is so small, or the returned guard is gone.</summary>
    /// <exception cref="ApiException">Clients are attached.</exception>
    Shrinking KeepOut(VolumeInfo volume, long sizeBytes)
    {
        lock (gate)
        {
            RefuseInUse(volume.Name, OpenedOf(volume.Id));
            var guard = new Shrinking(volume.Id, sizeBytes);
            shrinking.Add(guard);
            return guard;
        }
    }

    void LetIn(Shrinking guard)
    {
        lock (gate) shrinking.Remove(guard);
    }

    async Task<VolumeInfo> LimitAsync(VolumeInfo volume, ChangeLimits request, string by)
    {
        var (before, after) = (RateLimits.None, RateLimits.None);
        var changed = await pool.LimitVolumeAsync(NameOf(volume), limits => after = VolumeLimiting.Apply(request, before = limits));
        lock (gate)
        {
            // What the pool has by now: of two who change limits the last one here has the last word there.
            if (OpenedOf(volume.Id) is { } opened && Find(volume.Id) is { } now) opened.Front.Limits = now.Limits;
        }
        if (after != before) report(VolumeEvents.Limited(Name, changed, after, by));
        return changed;
    }

    async Task<VolumeInfo> DescribeAsync(VolumeInfo volume, ChangeVolume request, string by)
    {
        var changed = await pool.DescribeVolumeAsync(NameOf(volume), present => VolumeDescribing.Apply(request, present));
        report(VolumeEvents.Described(Name, changed, by));
        return changed;
    }

    // Nobody opens it by either name while it changes: there is one front of a volume, under one name.
    async Task<VolumeInfo> RenameAsync(VolumeInfo volume, string newName, bool force, string by)
    {
        var name = NameOf(volume);
        if (name == newName) return volume;
        lock (gate)
        {
            if (leaving.Contains(name)) throw NotFound(name);
            if (taking.Contains(name)) throw Busy(name);
            if (leaving.Contains(newName)) throw Exists(newName);
            if (!force) RefuseInUse(name, OpenedOf(volume.Id));
            leaving.Add(name);
            leaving.Add(newName);
        }
        try
        {
            var renamed = await pool.RenameVolumeAsync(name, newName);
            lock (gate)
            {
                if (open.Remove(name, out var opened))
                {
                    opened.Path = $"{Name}/{newName}";
                    open.Add(newName, opened);
                }
                foreach (var snapshot in pool.ListSnapshots(newName))
                {
                    if (openSnapshots.TryGetValue(snapshot.Id, out var read)) read.Path = $"{Name}/{newName}@{snapshot.Name}";
                }
            }
            report(VolumeEvents.Renamed(Name, renamed, name, by));
            return renamed;
        }
        finally
        {
            lock (gate)
            {
                leaving.Remove(name);
                leaving.Remove(newName);
            }
        }
    }

    void CheckNewName(VolumeInfo current, string newName, ChangeVolume request)
    {
        StoragePool.CheckVolumeName(newName);
        if (newName == current.Name) return;
        if (Find(newName) is not null) throw Exists(newName);
        // Who is connected goes on, but does not find it when he connects again.
        if (!request.Force) RefuseInUse(current.Name, OpenedOf(current.Id));
    }

    void CheckNewSize(VolumeInfo current, long sizeBytes, ChangeVolume request)
    {
        CheckSize(sizeBytes, current.BlockSizeBytes);
        if (sizeBytes >= current.SizeBytes) return;
        if (!request.AllowShrink) throw WouldShrink(current, sizeBytes);
        if (!request.Force) RefuseInUse(current.Name, OpenedOf(current.Id));
    }

    VolumeInfo? Find(Guid id) => List().FirstOrDefault(volume => volume.Id == id);

    string NameOf(VolumeInfo volume) => Find(volume.Id)?.Name ?? throw NotFound(volume.Name);

    ServedVolume? OpenedOf(Guid id)
    {
        lock (gate) return open.Values.FirstOrDefault(volume => volume.Id == id);
    }

    ApiException WouldShrink(VolumeInfo volume, long sizeBytes) => new(
        ProblemKind.WouldShrink,
        $"volume {Name}/{volume.Name} has {volume.SizeBytes} bytes; {sizeBytes} would cut off what lies beyond");

    /// <summary>A volume that gets smaller without force. Nobody is attached, and nobody is let in before it is that small.</summary>
    sealed class Shrinking(Guid volume, long sizeBytes)
    {
        public bool Concerns(VolumeInfo present) => present.Id == volume && present.SizeBytes > sizeBytes;
    }
}
