using Ashlar.Api;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <remarks>
/// <para>Which pools there are changes with their records, each of which is replaced as a whole. Crash orders:</para>
/// <para>Making one: a record that says so, then devices, directory or metadata on the devices, then the record of a pool that is ready. A
/// crash in between takes all of it back: nobody was told of it.</para>
/// <para>Adding a device: it is labelled, then the record has it, then the pool grows. A label without a record means nothing; a device
/// that the pool does not use yet is one that is longer than its pool.</para>
/// <para>Exporting: the pool is closed, then the record says so. Importing: it is opened, which its devices say, then the record says so.
/// One that this server has never seen has no record before that: a crash in between leaves a pool that says that this machine has it, and
/// that can be imported again. A record of a pool that is being made would have its devices erased.</para>
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
        var devices = await CheckNewAsync(CheckRaid(request), request.SizeBytes, request.Force);
        if (request.IsPortable && devices.Count == 0)
            throw new ApiException(ProblemKind.InvalidRequest, "a pool without devices is a file of the server: it has nothing to go by");
        _ = FileBytes(request, devices.Count);
        var number = registry.NextNumber();
        var record = new RememberedPool
        {
            Number = number,
            Name = request.Name,
            Directory = FreeDirectory(request.Name, number),
            Stage = PoolStage.Creating,
            SetId = options.Entropy.NextGuid(),
            IsPlaced = request.Raid is not null || request.IsPortable,
            Raid = (RaidLevel?)request.Raid?.Level,
            Devices = devices.Count > 0 ? devices : [RememberedDevice.Within],
        };
        registry.Install(record);
        PoolEntry? entry = null;
        try
        {
            await MakeAsync(record, request);
            entry = await PoolEntry.OpenAsync(record with { Stage = PoolStage.Ready }, PathOf(record), opening);
            entry.Record = entry.Record with { PoolId = entry.Served!.Id };
            registry.Install(entry.Record);
            Remember(entry);
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
        else if (entry.Record.IsPlaced)
        {
            // All of it is on its devices, and they may be somebody else's by now.
            registry.Remove(entry.Record.Number);
            Remove(entry);
            var forgotten = $"pool {name}: forgotten, and its devices left as they are, by {by}";
            Tell(LogLevel.Information, LogEvents.PoolDeleted, name, forgotten, by);
            return;
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
        if (request is
            {
                CapacityBytes: null, UseAllSpace: false, Name: null, SoftThresholdPercent: null, HardThresholdPercent: null,
                TrashSeconds: null,
            })
        {
            throw new ApiException(
                ProblemKind.InvalidRequest,
                "nothing to change: the request has no 'capacityBytes', 'useAllSpace', 'name', 'softThresholdPercent', "
                    + "'hardThresholdPercent' or 'trashSeconds'");
        }
        if (request is { CapacityBytes: not null, UseAllSpace: true })
            throw new ApiException(ProblemKind.InvalidRequest, "'capacityBytes' and 'useAllSpace' are two different sizes");
        var retention = VolumeDescribing.Retention(request.TrashSeconds);
        var settings = Apply(request, GetEntry(name).Record.Settings);
        if (request.CapacityBytes is { } capacity) served.CheckGrowth(capacity);
        if (request.Name is { } newName) StoragePool.CheckName(newName);
        if (settings != GetEntry(name).Record.Settings) await SetAsync(name, request, by);
        if (retention is { } kept) await served.KeepTrashAsync(kept, by);
        if (request.CapacityBytes is not null || request.UseAllSpace) await GrowAsync(GetEntry(name), served, request.CapacityBytes, by);
        return request.Name is null || request.Name == name ? GetEntry(name) : await RenameAsync(name, request.Name, request.Force, by);
    }

    // To a capacity, or over all that the devices have.
    static async Task GrowAsync(PoolEntry entry, ServedPool served, long? capacityBytes, string by)
    {
        try
        {
            if (capacityBytes is { } capacity)
            {
                await served.GrowAsync(capacity, by);
                return;
            }
            // The set first: the pool is as large as that, at the most.
            if (entry.Devices.Raid is { } raid) await raid.GrowAsync(raid.LargestBytes / raid.Geometry.BlockSizeBytes);
            await served.GrowOverDeviceAsync(by);
        }
        catch (RaidRefusedException refused)
        {
            throw new ApiException(ProblemKind.InUse, refused.Message);
        }
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
        await GoOnRemovingAsync(renamed);
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
