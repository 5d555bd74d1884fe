using Ashlar.Api;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

// What pools lie on.
sealed partial class ServedPools
{
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
        await served.GrowOverDeviceAsync(by);
        return entry;
    }

    Task<IReadOnlyList<RememberedDevice>> CheckNewAsync(IReadOnlyList<string> paths, long? sizeBytes, bool force)
    {
        if (paths.Count == 0 && sizeBytes is null)
            throw new ApiException(ProblemKind.InvalidRequest, "a pool without devices is a file of the server: say of which size");
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry.Record.Stage == PoolStage.Exported) continue;
            foreach (var device in entry.Record.Devices.Where(device => !device.IsWithin && !device.IsGone))
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

    static long FileBytes(long? sizeBytes, bool isFirst) => sizeBytes is not { } size ? 0
        : isFirst ? StoragePool.DeviceBytesFor(size)
        : ConcatDevice.DeviceBytesFor(size);
}
