using Ashlar.Api;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <remarks>
/// <para>Which pools there are changes with their records, each of which is replaced as a whole. Crash orders:</para>
/// <para>Making one: a record that says so, then devices, directory and map, then the record of a pool that is ready. A crash in between
/// takes all of it back: nobody was told of it.</para>
/// <para>Adding a device: it is labelled, then the record has it, then the pool grows. A label without a record means nothing; a device
/// that the pool does not use yet is one that is longer than its pool.</para>
/// <para>Exporting: the pool is closed, then the record says so. Importing: it is opened, then the record says so.</para>
/// </remarks>
sealed partial class ServedPools
{
    /// <summary>Makes a pool; durable when the call returns.</summary>
    public async Task<PoolEntry> CreateAsync(CreatePool request, string by)
    {
        StoragePool.CheckName(request.Name);
        if (request.SizeBytes is < 1 or > StoragePool.MaxCapacityBytes)
            throw new ApiException(ProblemKind.InvalidSize, $"a pool of {request.SizeBytes} bytes is not possible: 1 PiB at most");
        using var mine = await EnterAsync();
        RequireFree(request.Name);
        var devices = await CheckNewAsync(request.Devices ?? [], request.SizeBytes, request.Force);
        var number = registry.NextNumber();
        var record = new RememberedPool
        {
            Number = number,
            Name = request.Name,
            Directory = FreeDirectory(request.Name, number),
            Stage = PoolStage.Creating,
            SetId = options.Entropy.NextGuid(),
            Devices = devices.Count > 0 ? devices : [RememberedDevice.Within],
        };
        registry.Install(record);
        PoolEntry? entry = null;
        try
        {
            await MakeAsync(record, request);
            entry = await PoolEntry.OpenAsync(record with { Stage = PoolStage.Ready }, PathOf(record), options, report);
            entry.Record = entry.Record with { PoolId = entry.Served!.Id };
            registry.Install(entry.Record);
        }
        catch
        {
            if (entry is not null) await entry.DisposeAsync();
            await FinishRemovingAsync(record);
            throw;
        }
        Add(entry);
        var size = entry.Served.Usage.CapacityBytes;
        var where = string.Join(", ", devices.Select(device => device.Path));
        Tell(
            LogLevel.Information,
            LogEvents.PoolCreated,
            entry.Name,
            $"pool {entry.Name}: created: {BinarySize.FormatExact(size)}{(where.Length > 0 ? $" on {where}" : "")}, by {by}",
            by,
            size);
        return entry;
    }

    /// <summary>
    /// Deletes a pool and all that is on it; of one that is not open, what the server has of it. Durable when the call returns.
    /// </summary>
    public async Task DeleteAsync(string name, bool force, string by)
    {
        using var mine = await EnterAsync();
        var entry = GetEntry(name);
        if (entry.Served is { } served)
        {
            if (!force) RequireEmpty(served);
            await CloseToAllAsync(served, force, Blocks.FenceReason.VolumeDeleted);
        }
        else if (!force)
        {
            throw new ApiException(ProblemKind.PoolUnavailable, $"{NotAvailable(entry).Message}; what is on it would be lost")
            {
                Hint = "import it, or use force to forget it",
            };
        }

        var record = entry.Record with { Stage = PoolStage.Deleting, PoolId = entry.Served?.Id ?? entry.Record.PoolId };
        try
        {
            registry.Install(record);
        }
        catch
        {
            entry.Served?.OpenToClients();
            throw;
        }
        Remove(entry);
        try
        {
            await entry.DisposeAsync();
        }
        catch (AshlarException e)
        {
            Tell(
                LogLevel.Warning, LogEvents.ServerNotice, name, $"server: pool {name}, which is deleted, could not be closed: {e.Message}");
        }
        await FinishRemovingAsync(record);
        Tell(LogLevel.Information, LogEvents.PoolDeleted, name, $"pool {name}: deleted{(force ? " by force" : "")}, by {by}", by);
    }

    /// <summary>Changes thresholds, trash, size and name, in this order. What is not valid is refused before anything is changed.</summary>
    public async Task<PoolEntry> ChangeAsync(string name, ChangePool request, string by)
    {
        var served = Get(name);
        if (request is { CapacityBytes: null, Name: null, SoftThresholdPercent: null, HardThresholdPercent: null, TrashSeconds: null })
        {
            throw new ApiException(
                ProblemKind.InvalidRequest,
                "nothing to change: the request has no 'capacityBytes', 'name', 'softThresholdPercent', 'hardThresholdPercent' or "
                    + "'trashSeconds'");
        }
        var retention = VolumeDescribing.Retention(request.TrashSeconds);
        var settings = Apply(request, GetEntry(name).Record.Settings);
        if (request.CapacityBytes is { } capacity) served.CheckGrowth(capacity);
        if (request.Name is { } newName) StoragePool.CheckName(newName);
        if (settings != GetEntry(name).Record.Settings) await SetAsync(name, request, by);
        if (retention is { } kept) await served.KeepTrashAsync(kept, by);
        if (request.CapacityBytes is { } asked) await served.GrowAsync(asked, by);
        return request.Name is null || request.Name == name ? GetEntry(name) : await RenameAsync(name, request.Name, request.Force, by);
    }

    /// <summary>Adds a device, behind the others, while the pool is in use.</summary>
    public async Task<PoolEntry> AddDeviceAsync(string name, AddPoolDevice request, string by)
    {
        using var mine = await EnterAsync();
        var entry = GetEntry(name);
        var served = Get(name);
        if (request.SizeBytes is < 1 or > StoragePool.MaxCapacityBytes)
            throw new ApiException(ProblemKind.InvalidSize, $"a device of {request.SizeBytes} bytes is not possible: 1 PiB at most");
        var device = (await CheckNewAsync([request.Path], request.SizeBytes, request.Force))[0];
        var set = entry.Devices.Device!;
        var prepared = await newDevices.PrepareAsync(device, FileBytes(request.SizeBytes, isFirst: false), request.Force);
        var record = entry.Record with { Devices = [.. entry.Record.Devices, device] };
        try
        {
            await set.LabelAsync(prepared.Device);
            registry.Install(record);
        }
        catch
        {
            await GiveUpAsync(device, prepared);
            throw;
        }
        entry.Record = record;
        await set.AddAsync(prepared.Device);
        entry.Devices.Keep(prepared);
        Tell(LogLevel.Information, LogEvents.PoolDeviceAdded, name, $"pool {name}: {device.Path} added, by {by}", by);
        await served.GrowOverDeviceAsync(set.Geometry.SizeBytes, by);
        return entry;
    }

    /// <summary>Closes a pool for good, so that its devices can be taken elsewhere.</summary>
    public async Task<PoolEntry> ExportAsync(string name, bool force, string by)
    {
        using var mine = await EnterAsync();
        var entry = GetEntry(name);
        if (entry is { Served: null, Problem: null }) return entry; // It was.
        if (entry.Served is { } served) await CloseToAllAsync(served, force, Blocks.FenceReason.ClientDetached);
        else if (entry.Record.PoolId is null) throw NotAvailable(entry);
        var record = entry.Record with { Stage = PoolStage.Exported, PoolId = entry.Served?.Id ?? entry.Record.PoolId };
        await entry.DisposeAsync();
        var exported = PoolEntry.Closed(record, entry.DirectoryPath, problem: null);
        try
        {
            registry.Install(record);
        }
        catch
        {
            Replace(entry, await OpenOrExplainAsync(entry.Record, mustOpen: false));
            throw;
        }
        Replace(entry, exported);
        Tell(LogLevel.Information, LogEvents.PoolExported, name, $"pool {name}: exported, by {by}", by);
        return exported;
    }

    /// <summary>Opens a pool that was exported, or that could not be opened, wherever its devices are by now.</summary>
    public async Task<PoolEntry> ImportAsync(ImportPool request, string by)
    {
        if (request.Devices.Count == 0) throw new ApiException(ProblemKind.InvalidRequest, "no device is named");
        if (request.Name is { } newName) StoragePool.CheckName(newName);
        using var mine = await EnterAsync();
        var (first, others) = await IdentifyAsync(request.Devices);
        var entry = entries.FirstOrDefault(each => each.Record.PoolId == first.Identity.Id)
            ?? throw new ApiException(
                ProblemKind.PoolNotFound,
                $"{first.Path} is of pool {first.Identity.Name} ({first.Identity.Id}), whose map this server does not have");
        if (entry.Served is not null) throw new ApiException(ProblemKind.Exists, $"pool {entry.Name} is in use already");
        var name = request.Name ?? entry.Name;
        if (name != entry.Name) RequireFree(name);
        var before = entry.Record.Devices;
        var record = entry.Record with
        {
            Name = name,
            Stage = PoolStage.Ready,
            Devices =
            [
                .. others.Prepend(first.Path)
                    .Select(path => new RememberedDevice(path, IsOwn: before.Any(each => each.IsOwn && each.Path == path))),
            ],
        };
        PoolEntry opened;
        try
        {
            opened = await PoolEntry.OpenAsync(record, entry.DirectoryPath, options, report);
        }
        catch (AshlarException e) when (e is UnsupportedFormatException or StorageException or LockedException)
        {
            throw new ApiException(ProblemKind.UnusableDevice, $"pool {entry.Name} cannot be opened: {e.Message}");
        }
        try
        {
            registry.Install(record);
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
        Replace(entry, opened);
        Tell(LogLevel.Information, LogEvents.PoolImported, name, $"pool {name}: imported, by {by}", by);
        return opened;
    }

    async Task CloseToAllAsync(ServedPool served, bool force, Blocks.FenceReason reason)
    {
        await served.CloseToClientsAsync(force, reason);
        await tasks.EndAsync(served.Name);
    }

    async Task<PoolEntry> RenameAsync(string name, string newName, bool force, string by)
    {
        using var mine = await EnterAsync();
        var entry = GetEntry(name);
        RequireFree(newName);
        await CloseToAllAsync(Get(name), force, Blocks.FenceReason.ClientDetached);
        var record = entry.Record with { Name = newName };
        try
        {
            registry.Install(record);
        }
        catch
        {
            entry.Served!.OpenToClients();
            throw;
        }
        await entry.DisposeAsync();
        var renamed = await OpenOrExplainAsync(record, mustOpen: false);
        Replace(entry, renamed);
        Tell(LogLevel.Information, LogEvents.PoolRenamed, newName, $"pool {newName}: renamed from {name}, by {by}", by);
        return renamed;
    }

    async Task SetAsync(string name, ChangePool request, string by)
    {
        using var mine = await EnterAsync();
        var entry = GetEntry(name);
        var record = entry.Record with { Settings = Apply(request, entry.Record.Settings) };
        registry.Install(record);
        entry.Record = record;
        if (entry.Served is { } served) served.Settings = record.Settings;
        var (soft, hard) = (record.Settings.SoftPercent, record.Settings.HardPercent);
        Tell(LogLevel.Information, LogEvents.PoolChanged, name, $"pool {name}: warnings at {soft} % and {hard} %, by {by}", by);
    }

    static PoolSettings Apply(ChangePool request, PoolSettings current)
    {
        var settings = current with
        {
            SoftPercent = request.SoftThresholdPercent ?? current.SoftPercent,
            HardPercent = request.HardThresholdPercent ?? current.HardPercent,
        };
        if (settings is { SoftPercent: >= 1, HardPercent: <= 100 } && settings.SoftPercent <= settings.HardPercent) return settings;
        throw new ApiException(
            ProblemKind.InvalidRequest,
            $"thresholds are percentages from 1 to 100, the hard one not below the soft one: not {settings.SoftPercent} and "
                + $"{settings.HardPercent}");
    }

    Task<IReadOnlyList<RememberedDevice>> CheckNewAsync(IReadOnlyList<string> paths, long? sizeBytes, bool force)
    {
        if (paths.Count == 0 && sizeBytes is null)
            throw new ApiException(ProblemKind.InvalidRequest, "a pool without devices is a file of the server: say of which size");
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry.Record.Stage == PoolStage.Exported) continue;
            foreach (var device in entry.Record.Devices.Where(device => !device.IsWithin))
                taken[FindResolved(device.Path)] = entry.Name;
        }
        return newDevices.CheckAsync(paths, sizeBytes, force, taken);
    }

    string FindResolved(string path)
    {
        try
        {
            return newDevices.Resolve(path, options.FileSystem.FileExists(path));
        }
        catch (ApiException)
        {
            return path; // It is not there.
        }
    }

    // The pool is formatted and closed again; what fails leaves devices that look as before.
    async Task MakeAsync(RememberedPool record, CreatePool request)
    {
        directory.CreatePool(record.Directory);
        var prepared = new List<(RememberedDevice Device, PoolDevice Opened)>();
        var isDone = false;
        try
        {
            foreach (var device in record.Devices)
            {
                var lengthBytes = FileBytes(request.SizeBytes, prepared.Count == 0);
                prepared.Add((device, device.IsWithin
                    ? new(FileDevice.Create(options.FileSystem, device.PathIn(PathOf(record)), lengthBytes, PoolFiles.BlockSizeBytes), null)
                    : await newDevices.PrepareAsync(device, lengthBytes, request.Force)));
            }
            var set = ConcatDevice.Of(prepared[0].Opened.Device, record.SetId);
            foreach (var (_, opened) in prepared.Skip(1))
            {
                await set.LabelAsync(opened.Device);
                await set.AddAsync(opened.Device);
            }
            await PoolFiles.FormatAsync(PathOf(record), record.Name, set, options);
            isDone = true;
        }
        finally
        {
            foreach (var (device, opened) in prepared)
            {
                if (isDone || device.IsWithin) await opened.DisposeAsync();
                else await GiveUpAsync(device, opened);
            }
        }
    }

    // What fails here matters less than what it is given up for.
    async Task GiveUpAsync(RememberedDevice device, PoolDevice opened)
    {
        try
        {
            if (!device.IsOwn) await DeviceSignatures.EraseAsync(opened.Device);
            await opened.DisposeAsync();
            if (device.IsOwn) newDevices.RemoveOwn(device.Path);
        }
        catch (AshlarException e)
        {
            var message = $"server: {device.Path} may still look like a device of a pool: {e.Message}";
            Tell(LogLevel.Warning, LogEvents.ServerNotice, null, message);
        }
    }

    async Task<((string Path, PoolIdentity Identity) First, List<string> Others)> IdentifyAsync(IReadOnlyList<string> paths)
    {
        (string, PoolIdentity)? first = null;
        var others = new List<string>();
        foreach (var path in paths)
        {
            try
            {
                await using var device = FileDevice.Open(options.FileSystem, path, PoolFiles.BlockSizeBytes, isReadOnly: true);
                if (await StoragePool.IdentifyAsync(device) is not { } identity)
                {
                    if (await ConcatDevice.FindSetAsync(device) is null) throw NewDevices.Unusable(path, "it holds no pool");
                    others.Add(path);
                }
                else if (first is var (firstPath, _)) throw NewDevices.Unusable(path, $"it holds a pool, as {firstPath} does");
                else first = (path, identity);
            }
            catch (AshlarException e) when (NewDevices.IsOfDevice(e))
            {
                throw NewDevices.Unusable(path, e.Message);
            }
        }
        return first is { } found ? (found, others) : throw NewDevices.Unusable(paths[0], "the first device of its pool is not named");
    }

    static void RequireEmpty(ServedPool served)
    {
        var (volumes, trashed) = (served.List().Count, served.TrashCount);
        if (volumes + trashed == 0) return;
        var what = volumes > 0 ? volumes == 1 ? "1 volume" : $"{volumes} volumes"
            : trashed == 1 ? "1 volume in its trash" : $"{trashed} volumes in its trash";
        throw new ApiException(ProblemKind.NotEmpty, $"pool {served.Name} holds {what}, which would be lost")
        {
            Hint = "delete them first, or use force",
        };
    }

    void RequireFree(string name)
    {
        if (FindEntry(name) is not null) throw new ApiException(ProblemKind.Exists, $"pool {name} exists already");
    }

    // Two pools never share one, also not after they were renamed.
    string FreeDirectory(string name, ulong number) =>
        options.FileSystem.DirectoryExists(directory.PoolPath(name)) || entries.Any(entry => entry.Record.Directory == name)
            ? $"{name}-{number}"
            : name;

    static long FileBytes(long? sizeBytes, bool isFirst) => sizeBytes is not { } size ? 0
        : isFirst ? StoragePool.DeviceBytesFor(size)
        : ConcatDevice.DeviceBytesFor(size);

    async Task<IDisposable> EnterAsync()
    {
        await turn.WaitAsync();
        return new Turn(turn);
    }

    sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
