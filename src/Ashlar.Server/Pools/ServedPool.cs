using System.Diagnostics.CodeAnalysis;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// A pool that is served: one front per volume, shared by every protocol. What happens to the pool it tells the fronts, which tell
/// their clients.
/// </summary>
sealed class ServedPool : IAsyncDisposable
{
    const int MaxDamageListed = 3;

    readonly StoragePool pool;
    readonly Action<LogEntry> report;
    readonly TimeProvider timeProvider;
    readonly SpaceWatch space;
    readonly Dictionary<string, ServedVolume> open = new(StringComparer.Ordinal);
    readonly HashSet<string> leaving = new(StringComparer.Ordinal);
    readonly Lock gate = new();

    public ServedPool(StoragePool pool, Action<LogEntry> report, TimeProvider timeProvider)
    {
        this.pool = pool;
        this.report = report;
        this.timeProvider = timeProvider;
        space = new SpaceWatch(pool.Name, pool.GetUsage, report, OnSpaceShort, timeProvider);
    }

    public string Name => pool.Name;

    public PoolUsage Usage => pool.GetUsage();

    public PoolStatistics Statistics => pool.GetStatistics();

    /// <summary>What was found damaged and not healed since, the first of it with a sentence each.</summary>
    public PoolDamage Damage => pool.GetDamage(MaxDamageListed);

    /// <summary>What of a volume was found damaged and not healed since, in its order.</summary>
    public IReadOnlyList<DamagedRange> ListDamage(string name) => pool.ListDamage(name);

    /// <summary>Blocks of a volume that are not verified since a crash, as far as the pool lists them.</summary>
    public IEnumerable<UnverifiedBlock> ListUnverified(Guid volume) => pool.ListUnverifiedBlocks().Where(block => block.VolumeId == volume);

    public IReadOnlyList<VolumeInfo> List() => pool.ListVolumes();

    public VolumeInfo? Find(string name) => pool.FindVolume(name);

    public VolumeInfo Get(string name) => Find(name) ?? throw NotFound(name);

    public VolumeClients ClientsOf(string name)
    {
        lock (gate) return open.TryGetValue(name, out var volume) ? volume.Clients : new(0, 0);
    }

    public VolumeClients AllClients()
    {
        lock (gate)
        {
            return open.Values.Select(volume => volume.Clients)
                .Aggregate(new VolumeClients(0, 0), (sum, each) => new(sum.Nbd + each.Nbd, sum.Iscsi + each.Iscsi));
        }
    }

    /// <summary>What clients of a volume do; null where it is not open, and so nobody is attached.</summary>
    public VolumeFront? FrontOf(string name) => OpenedOf(name)?.Front;

    /// <summary>A volume that is open; null where nobody has been attached since the start.</summary>
    public ServedVolume? OpenedOf(string name)
    {
        lock (gate) return open.GetValueOrDefault(name);
    }

    /// <summary>Attaches a client to a volume; false when there is none of that name.</summary>
    public bool TryAttach(
        string name,
        ClientIdentity client,
        [NotNullWhen(true)] out ServedVolume? volume,
        [NotNullWhen(true)] out ClientSession? session)
    {
        session = null;
        if (!TryOpen(name, out volume)) return false;
        try
        {
            session = volume.Front.Attach(client);
            return true;
        }
        catch (SessionFencedException)
        {
            return false; // Deleted since it was found.
        }
    }

    /// <summary>Changes the pool: makes it larger.</summary>
    /// <param name="request">What it is to be.</param>
    /// <param name="by">Address of who asks for it, for the log.</param>
    public async Task GrowAsync(ChangePool request, string by)
    {
        var before = Usage.CapacityBytes;
        if (request.CapacityBytes is < 1 or > StoragePool.MaxCapacityBytes)
            throw new ApiException(ProblemKind.InvalidSize, $"a pool of {request.CapacityBytes} bytes is not possible: 1 PiB at most");
        if (request.CapacityBytes < before)
        {
            throw new ApiException(
                ProblemKind.CannotShrink,
                $"pool {Name} holds {BinarySize.FormatExact(before)}; {BinarySize.FormatExact(request.CapacityBytes)} are less, and pools "
                + "cannot shrink");
        }
        await pool.GrowAsync(request.CapacityBytes);
        var usage = Usage;
        if (usage.CapacityBytes == before) return;
        var message = $"pool {Name}: grown from {BinarySize.FormatExact(before)} to {BinarySize.FormatExact(usage.CapacityBytes)}, by {by}";
        report(new(LogLevel.Information, LogEvents.PoolGrown, message) { Pool = Name, Address = by, SizeBytes = usage.CapacityBytes });
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

    /// <summary>Changes size, limits and name. What is not valid is refused before anything is changed.</summary>
    public async Task<VolumeInfo> ChangeAsync(string name, ChangeVolume request)
    {
        var current = Get(name);
        if (request is { SizeBytes: null, Limits: null, Name: null })
            throw new ApiException(ProblemKind.InvalidRequest, "nothing to change: the request has no 'sizeBytes', 'limits' or 'name'");
        VolumeLimiting.Apply(request.Limits, current.Limits);
        if (request.SizeBytes is { } sizeBytes) CheckNewSize(current, sizeBytes, request);
        if (request.Name is { } newName) CheckNewName(current, newName, request);
        try
        {
            var changed = current;
            if (request.SizeBytes is { } asked)
            {
                changed = await pool.ResizeVolumeAsync(name, asked, request.AllowShrink);
                if (changed.SizeBytes != current.SizeBytes) FrontOf(name)?.Report(new(VolumeEventKind.CapacityChanged));
            }
            if (request.Limits is not null) changed = await LimitAsync(name, request.Limits);
            return request.Name is null || request.Name == name ? changed : await RenameAsync(name, request.Name);
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

    /// <summary>
    /// Deletes a volume; its space is given back after the call has returned. Clients are cut off first, so that none of them
    /// works on a volume that goes.
    /// </summary>
    public async Task DeleteAsync(string name, bool force)
    {
        Get(name);
        ServedVolume? volume;
        lock (gate)
        {
            // Nobody opens it while it goes. Another who deletes it is as good as too late.
            if (!leaving.Add(name)) throw NotFound(name);
            volume = open.GetValueOrDefault(name);
        }
        try
        {
            if (volume is not null && !await volume.Front.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: force))
                throw InUse(name, volume.Clients);
            lock (gate) open.Remove(name);
            await pool.DeleteVolumeAsync(name);
        }
        catch (VolumeNameException)
        {
            throw NotFound(name);
        }
        finally
        {
            lock (gate) leaving.Remove(name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await space.DisposeAsync();
        await pool.DisposeAsync();
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

    bool TryOpen(string name, [NotNullWhen(true)] out ServedVolume? volume)
    {
        lock (gate)
        {
            if (open.TryGetValue(name, out volume)) return true;
            if (leaving.Contains(name) || pool.FindVolume(name) is not { } info || pool.OpenVolume(name) is not { } device) return false;
            volume = open[name] = new ServedVolume(info, $"{Name}/{name}", device, report, timeProvider);
            return true;
        }
    }

    async Task<VolumeInfo> LimitAsync(string name, ChangeLimits request)
    {
        var changed = await pool.LimitVolumeAsync(name, limits => VolumeLimiting.Apply(request, limits));
        lock (gate)
        {
            // What the pool has by now: of two who change limits the last one here has the last word there.
            if (open.TryGetValue(name, out var volume) && pool.FindVolume(name) is { } info) volume.Front.Limits = info.Limits;
        }
        return changed;
    }

    // Nobody opens it by either name while it changes: there is one front of a volume, under one name.
    async Task<VolumeInfo> RenameAsync(string name, string newName)
    {
        lock (gate)
        {
            if (!leaving.Add(name)) throw NotFound(name);
            if (!leaving.Add(newName))
            {
                leaving.Remove(name);
                throw Exists(newName);
            }
        }
        try
        {
            var renamed = await pool.RenameVolumeAsync(name, newName);
            lock (gate)
            {
                if (open.Remove(name, out var volume))
                {
                    volume.Path = $"{Name}/{newName}";
                    open.Add(newName, volume);
                }
            }
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
        if (!request.Force && ClientsOf(current.Name) is { Total: > 0 } clients) throw InUse(current.Name, clients);
    }

    void CheckNewSize(VolumeInfo current, long sizeBytes, ChangeVolume request)
    {
        CheckSize(sizeBytes, current.BlockSizeBytes);
        if (sizeBytes >= current.SizeBytes) return;
        if (!request.AllowShrink)
        {
            throw new ApiException(
                ProblemKind.WouldShrink,
                $"volume {Name}/{current.Name} has {current.SizeBytes} bytes; {sizeBytes} would cut off what lies beyond");
        }
        if (!request.Force && ClientsOf(current.Name) is { Total: > 0 } clients) throw InUse(current.Name, clients);
    }

    ApiException InUse(string name, VolumeClients clients) =>
        new(ProblemKind.InUse, $"volume {Name}/{name} is in use: {Describe(clients)}");

    ApiException Exists(string name) => new(ProblemKind.Exists, $"volume {Name}/{name} exists already");

    ApiException NotFound(string name) => new(ProblemKind.VolumeNotFound, $"there is no volume {Name}/{name}");

    static string Describe(VolumeClients clients) => (clients.Nbd, clients.Iscsi) switch
    {
        (var nbd, 0) => $"{nbd} NBD {(nbd == 1 ? "client" : "clients")}",
        (0, var iscsi) => $"{iscsi} iSCSI {(iscsi == 1 ? "session" : "sessions")}",
        var (nbd, iscsi) => $"{nbd} by NBD, {iscsi} by iSCSI",
    };

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
