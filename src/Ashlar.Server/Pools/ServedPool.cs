using System.Diagnostics.CodeAnalysis;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Blocks.Raid;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// A pool that is served: one front per volume, shared by every protocol. What happens to the pool it tells the fronts, which tell
/// their clients.
/// </summary>
sealed partial class ServedPool : IAsyncDisposable
{
    const int MaxDamageListed = 3;

    readonly StoragePool pool;
    readonly Action<LogEntry> report;
    readonly TimeProvider timeProvider;
    readonly SpaceWatch space;
    readonly SnapshotScheduler schedules;
    readonly Dictionary<string, ServedVolume> open = new(StringComparer.Ordinal);
    readonly HashSet<string> leaving = new(StringComparer.Ordinal); // Names that are about to go, or to come by renaming.
    readonly List<Shrinking> shrinking = [];
    readonly long? askedBytes;
    readonly VolumeGuard? guard;
    readonly Lock gate = new();
    volatile PoolSettings settings;
    bool isClosing; // Nobody is attached any more, and nobody is let in.

    /// <summary>Serves a pool, and closes it in the end.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="report">Gets lines for the log.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="askedBytes">The size that the server was started for; null when it takes any.</param>
    /// <param name="settings">What operators have set; null for the defaults.</param>
    /// <param name="guard">What stands at the doors of its volumes; null for nothing.</param>
    public ServedPool(
        StoragePool pool, Action<LogEntry> report, TimeProvider timeProvider, long? askedBytes = null, PoolSettings? settings = null,
        VolumeGuard? guard = null)
    {
        this.guard = guard;
        this.pool = pool;
        this.settings = settings ?? new();
        this.askedBytes = askedBytes;
        this.report = report;
        this.timeProvider = timeProvider;
        schedules = new SnapshotScheduler(this, pool, timeProvider, report);
        space = new SpaceWatch(pool.Name, Look, () => Settings, report, OnSpaceShort, timeProvider);
    }

    public string Name => pool.Name;

    /// <summary>Identity of the pool, on its device.</summary>
    public Guid Id => pool.Id;

    /// <summary>What operators have set.</summary>
    public PoolSettings Settings
    {
        get => settings;
        set
        {
            settings = value;
            space.Look();
        }
    }

    /// <summary>When the pool will be full if it goes on as in the last hours; null when nobody can tell.</summary>
    public TimeSpan? UntilFull => space.UntilFull(Usage);

    public PoolUsage Usage => pool.GetUsage();

    public PoolStatistics Statistics => pool.GetStatistics();

    /// <summary>That the next start is refused if it is as this one was; empty when it is not.</summary>
    public IReadOnlyList<string> SizeWarnings =>
        PoolSizes.WarningOf(Name, askedBytes, pool.FullCapacityBytes) is { } warning ? [warning] : [];

    /// <summary>What was found damaged and not healed since, the first of it with a sentence each.</summary>
    public PoolDamage Damage => pool.GetDamage(MaxDamageListed);

    /// <summary>What of a volume was found damaged and not healed since, in its order.</summary>
    public IReadOnlyList<DamagedRange> ListDamage(string name) => pool.ListDamage(name);

    /// <summary>Blocks of a volume that are not verified since a crash, as far as the pool lists them.</summary>
    public IEnumerable<UnverifiedBlock> ListUnverified(Guid volume) => pool.ListUnverifiedBlocks().Where(block => block.VolumeId == volume);

    /// <summary>All volumes but those that are being made of streams: whoever takes all that there is would write to them.</summary>
    public IReadOnlyList<VolumeInfo> List() => [.. pool.ListVolumes().Where(volume => !volume.IsImporting)];

    /// <summary>How many volumes are in the trash.</summary>
    public int TrashCount => pool.ListTrash().Count;

    /// <summary>One of them; null when there is none of that name.</summary>
    public VolumeInfo? Find(string name) => pool.FindVolume(name) is { IsImporting: false } volume ? volume : null;

    public VolumeInfo Get(string name) => Find(name) ?? throw NotFound(name);

    /// <summary>Fails unless a pool may be made so large.</summary>
    public void CheckGrowth(long capacityBytes)
    {
        var before = Usage.CapacityBytes;
        if (capacityBytes is < 1 or > StoragePool.MaxCapacityBytes)
            throw new ApiException(ProblemKind.InvalidSize, $"a pool of {capacityBytes} bytes is not possible: 1 PiB at most");
        // Whoever asks again for what was rounded up for him asks for nothing new.
        if (StoragePool.DeviceBytesFor(capacityBytes) < StoragePool.DeviceBytesFor(before))
        {
            throw new ApiException(
                ProblemKind.CannotShrink,
                $"pool {Name} holds {BinarySize.FormatExact(before)}; {BinarySize.FormatExact(capacityBytes)} are less, and pools "
                + "cannot shrink");
        }
        pool.CheckGrowth(capacityBytes);
    }

    /// <summary>Makes the pool larger, over all that its devices have.</summary>
    /// <param name="by">Address of who asks for it, for the log.</param>
    public Task GrowOverDeviceAsync(string by) => GrowAsync(pool.GrowOverDeviceAsync, by);

    /// <summary>Makes the pool larger.</summary>
    /// <param name="capacityBytes">What it is to hold.</param>
    /// <param name="by">Address of who asks for it, for the log.</param>
    public async Task GrowAsync(long capacityBytes, string by)
    {
        CheckGrowth(capacityBytes);
        await GrowAsync(() => pool.GrowAsync(capacityBytes), by);
    }

    async Task GrowAsync(Func<ValueTask> grow, string by)
    {
        var before = Usage.CapacityBytes;
        await grow();
        var usage = Usage;
        if (usage.CapacityBytes == before) return;
        var message = $"pool {Name}: grown from {BinarySize.FormatExact(before)} to {BinarySize.FormatExact(usage.CapacityBytes)}, by {by}";
        report(new(LogLevel.Information, LogEvents.PoolGrown, message) { Pool = Name, Address = by, SizeBytes = usage.CapacityBytes });
        foreach (var warning in SizeWarnings) report(new(LogLevel.Warning, LogEvents.ServerNotice, warning) { Pool = Name });
        space.Look();
    }

    public async Task<VolumeInfo> CreateAsync(CreateVolume request)
    {
        var blockSizeBytes = request.BlockSizeBytes ?? 512;
        if (blockSizeBytes is not (512 or 4096))
            throw new ApiException(ProblemKind.InvalidSize, $"blocks of {blockSizeBytes} bytes are not offered: 512 or 4096");
        CheckSize(request.SizeBytes, blockSizeBytes);
        var limits = VolumeLimiting.Apply(request.Limits, RateLimits.None);
        var options = new VolumeOptions
        {
            SizeBytes = request.SizeBytes,
            BlockSizeBytes = blockSizeBytes,
            IsThick = request.IsThick,
            Limits = limits,
            Attributes = VolumeDescribing.Create(request),
        };
        try
        {
            return await pool.CreateVolumeAsync(request.Name, options);
        }
        catch (VolumeNameException e) when (e.Problem == VolumeNameProblem.Taken)
        {
            throw Exists(request.Name);
        }
    }

    /// <summary>
    /// Moves a volume to the trash, or deletes it for good: then its space is given back after the call has returned. Clients are cut off
    /// first, so that none of them works on a volume that goes.
    /// </summary>
    /// <param name="name">The volume.</param>
    /// <param name="force">Whether clients may be attached, to it or to its snapshots; they are cut off.</param>
    /// <param name="isNow">Whether it goes for good, rather than to the trash.</param>
    /// <param name="withSnapshots">Whether its snapshots go, too.</param>
    /// <returns>What is in the trash; null when it is gone for good.</returns>
    public async Task<Ashlar.Volumes.TrashedVolume?> DeleteAsync(
        string name, bool force, bool isNow = false, bool withSnapshots = false)
    {
        var info = Get(name);
        CheckSnapshotsMayGo(info, withSnapshots);
        ServedVolume? volume;
        IReadOnlyList<ServedVolume> cutOff = [];
        lock (gate)
        {
            if (leaving.Contains(name)) throw NotFound(name); // Another who deletes it is as good as too late.
            if (taking.Contains(name)) throw Busy(name);
            if (!force) RefuseInUse(name, OpenedOf(name));
            leaving.Add(name); // Nobody opens it while it goes.
            volume = open.GetValueOrDefault(name);
        }
        try
        {
            cutOff = await CutOffSnapshotsAsync(name, force);
            if (volume is not null && !await volume.Front.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: force))
                throw InUse(name, volume.Clients);
            lock (gate) open.Remove(name);
            if (!isNow) return await pool.TrashVolumeAsync(name, withSnapshots);
            await pool.DeleteVolumeAsync(name, withSnapshots);
            guard?.Reservations.Forget(info.Id);
            return null;
        }
        catch (VolumeNameException)
        {
            throw NotFound(name);
        }
        finally
        {
            Forget(cutOff);
            lock (gate) leaving.Remove(name);
        }
    }

    /// <summary>A comparison of the map with the free space, to be run by a task.</summary>
    public ITaskWork CreateVerification() => new VerifyWork(pool);

    /// <summary>A look at all blocks, to be run by a task.</summary>
    /// <param name="raid">The RAID set below; null where there is none.</param>
    public ITaskWork CreateScrub(RaidArray? raid) => new ScrubWork(pool, raid);

    /// <summary>Puts a volume in order.</summary>
    public ITaskWork CreateDefragmentation(string volume, bool copiesShared) =>
        new DefragmentWork(pool.CreateOrdering(volume, copiesShared), volume);

    /// <summary>Parts of the pool's device where nothing is placed.</summary>
    public IReadOnlyList<PoolRange> ListBarredRanges() => pool.ListBarredRanges();

    /// <summary>Whether nothing is placed in the part of the pool's device that begins here.</summary>
    public bool IsBarred(long offsetBytes) => pool.IsBarred(offsetBytes);

    /// <summary>Says that a part of the pool's device is to be emptied.</summary>
    public async Task<PoolEvacuation> BeginEvacuationAsync(long offsetBytes, long lengthBytes) =>
        await pool.BeginEvacuationAsync(offsetBytes, lengthBytes);

    /// <summary>Puts it back into use, unless it is empty for good.</summary>
    public async Task<bool> CancelEvacuationAsync(long offsetBytes) => await pool.CancelEvacuationAsync(offsetBytes);

    public async ValueTask DisposeAsync()
    {
        await space.DisposeAsync();
        await schedules.DisposeAsync();
        await pool.DisposeAsync();
    }

    /// <summary>The same of a pool with its metadata on its devices, and says on them that nobody has it.</summary>
    /// <exception cref="DeviceIOException">It was closed as a crash would leave it, and they do not say so.</exception>
    public async ValueTask ExportAsync()
    {
        await space.DisposeAsync();
        await schedules.DisposeAsync();
        await pool.ExportAsync();
    }

    /// <summary>Tells clients what happened to their pool.</summary>
    public void Observe(PoolEvent each)
    {
        if (each.Kind != PoolEventKind.Failed) return;
        // Stable storage is in doubt: no volume of the pool takes writes any more.
        foreach (var volume in OpenVolumes()) volume.Front.Report(new(VolumeEventKind.Failed, error: each.Cause));
    }

    // A thick volume has its space.
    void OnSpaceShort()
    {
        foreach (var volume in OpenVolumes())
            if (!volume.IsThick) volume.Front.Report(new(VolumeEventKind.SpaceRunsShort));
    }

    IReadOnlyList<ServedVolume> OpenVolumes()
    {
        lock (gate) return [.. open.Values];
    }

    ApiException Exists(string name) => new(ProblemKind.Exists, $"volume {Name}/{name} exists already");

    ApiException NotFound(string name) => new(ProblemKind.VolumeNotFound, $"there is no volume {Name}/{name}");

    static void CheckSize(long sizeBytes, int blockSizeBytes)
    {
        if (sizeBytes <= 0) throw new ApiException(ProblemKind.InvalidSize, $"a volume has a size above 0, not {sizeBytes}");
        if (sizeBytes > StoragePool.MaxVolumeBytes)
            throw new ApiException(ProblemKind.InvalidSize, $"{sizeBytes} bytes are more than the largest volume, 1 PiB");
        if (sizeBytes % blockSizeBytes != 0)
        {
            throw new ApiException(
                ProblemKind.InvalidSize, $"a size of {sizeBytes} bytes is not a whole number of {blockSizeBytes}-byte blocks");
        }
    }
}
