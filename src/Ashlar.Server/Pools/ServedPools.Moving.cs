using Ashlar.Api;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

// Taking pools away, and bringing them back.
sealed partial class ServedPools
{
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
        List<RememberedDevice> devices =
        [
            .. others.Prepend(first.Path)
                .Select(path => new RememberedDevice(path, IsOwn: before.Any(each => each.IsOwn && each.Path == path))),
        ];
        foreach (var (number, gone) in before.Index().Where(each => each.Item.IsGone))
            devices.Insert(Math.Min(number, devices.Count), gone with { Path = "" });
        var record = entry.Record with { Name = name, Stage = PoolStage.Ready, Devices = devices };
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
        await GoOnRemovingAsync(opened);
        Tell(LogLevel.Information, LogEvents.PoolImported, name, $"pool {name}: imported, by {by}", by);
        return opened;
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
}
