using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <remarks>
/// Taking a device out. Crash order: the pool says, durably, that nothing is placed on it any more; what lies there is moved; the pool
/// says, durably, that its part is empty for good; the record says that the device is gone, and keeps its path; the pool lets go of it; its
/// label is erased; the record forgets the path. A start goes on wherever it finds that: a record without the device whose label is still
/// needed, or a label erased of a device that the record still has, would be a pool that cannot be opened.
/// </remarks>
sealed partial class ServedPools
{
    /// <summary>Begins to take a device out of a pool, while it is in use.</summary>
    public async Task<ServerTask> RemoveDeviceAsync(string name, string path, long? bytesPerSecond, string by)
    {
        using var mine = await EnterAsync();
        var entry = GetEntry(name);
        var served = Get(name);
        if (entry.Devices.Raid is { } raid)
        {
            await RemoveMemberAsync(entry, raid, path, by);
            var done = tasks.Start(name, new DoneWork("remove-device"), bytesPerSecond, by);
            await done.Ended; // So that another one can be taken out next.
            return done;
        }
        var device = entry.Record.Devices.FirstOrDefault(each => !each.IsGone && each.PathIn(entry.DirectoryPath) == path)
            ?? throw new ApiException(ProblemKind.UnusableDevice, $"{path} is no device of pool {name}");
        if (entry.Devices.FindPart(path) is not var (offset, length))
        {
            throw new ApiException(
                ProblemKind.UnusableDevice,
                entry.Record.Devices[0] == device
                    ? $"{path} cannot be taken out: it is the first device of pool {name}, which says what the pool is"
                    : $"{path} cannot be taken out of pool {name}");
        }
        var wasLeaving = served.ListBarredRanges().Any(range => range.OffsetBytes == offset);
        try
        {
            var task = await StartRemovingAsync(entry, served, path, (offset, length), bytesPerSecond, by);
            Tell(LogLevel.Information, LogEvents.PoolDeviceLeaving, name, $"pool {name}: {path} is being taken out, by {by}", by);
            return task;
        }
        catch (ApiException) when (!wasLeaving)
        {
            await served.CancelEvacuationAsync(offset);
            throw;
        }
        catch (DeviceFullException full)
        {
            throw new ApiException(ProblemKind.NoSpace, $"{path} cannot be taken out: {full.Message}");
        }
        catch (NotSupportedException unable)
        {
            throw new ApiException(ProblemKind.UnusableDevice, $"{path} cannot be taken out: {unable.Message}");
        }
    }

    async Task<ServerTask> StartRemovingAsync(
        PoolEntry entry, ServedPool served, string path, (long OffsetBytes, long LengthBytes) part, long? bytesPerSecond, string by)
    {
        var evacuation = await served.BeginEvacuationAsync(part.OffsetBytes, part.LengthBytes);
        return tasks.Start(
            entry.Name,
            new RemoveDeviceWork(
                path, evacuation, stop => TakeOutAsync(entry, served, path, stop)),
            bytesPerSecond,
            by);
    }

    // Whoever closes the pool has the turn, and waits for the task to end.
    async Task TakeOutAsync(PoolEntry entry, ServedPool served, string path, CancellationToken stop)
    {
        await turn.WaitAsync(stop);
        try
        {
            var device = entry.Record.Devices.Single(each => !each.IsGone && each.PathIn(entry.DirectoryPath) == path);
            var part = RequireEmptyPart(entry, served, path);
            var gone = device with { GoneBytes = part.LengthBytes, GoneOffsetBytes = part.OffsetBytes };
            InstallInstead(entry, device, gone);
            var taken = await entry.Devices.TakeOutAsync(path);
            await using (taken)
                if (!device.IsOwn) await DeviceSignatures.EraseAsync(taken.Device, CancellationToken.None);
            if (device.IsOwn) newDevices.RemoveOwn(path);
            InstallInstead(entry, gone, gone with { Path = "" });
            Tell(LogLevel.Information, LogEvents.PoolDeviceRemoved, entry.Name, $"pool {entry.Name}: {path} is taken out");
        }
        finally
        {
            turn.Release();
        }
    }

    // All that lies on it now, whatever it was when the moving began.
    static (long OffsetBytes, long LengthBytes) RequireEmptyPart(PoolEntry entry, ServedPool served, string path)
    {
        if (entry.Devices.FindPart(path) is not var (offset, length))
            throw new ApiException(ProblemKind.UnusableDevice, $"{path} is no device of pool {entry.Name} that can be taken out");
        var most = StoragePool.DeviceBytesFor(StoragePool.MaxCapacityBytes); // No pool has more of a device.
        if (served.ListBarredRanges().Any(range =>
            range.IsEmpty && range.OffsetBytes == offset && range.LengthBytes >= Math.Min(length, most - offset)))
            return (offset, length);
        throw new ApiException(
            ProblemKind.UnusableDevice,
            $"{path} stays: not all {length} bytes of pool {entry.Name} from {offset} on, which lie on it, are out of use");
    }

    void InstallInstead(PoolEntry entry, RememberedDevice old, RememberedDevice with)
    {
        var record = entry.Record with { Devices = [.. entry.Record.Devices.Select(each => each == old ? with : each)] };
        registry.Install(record);
        entry.Record = record;
    }

    // What was under way when the pool was closed. Before anybody else knows of it, or in turn.
    async Task GoOnRemovingAsync(PoolEntry entry)
    {
        if (entry.Served is not { } served) return;
        try
        {
            foreach (var left in entry.Record.Devices.Where(static each => each is { IsGone: true, Path.Length: > 0 }).ToArray())
                await ForgetAsync(entry, left);
            foreach (var device in entry.Record.Devices.Where(static each => !each.IsGone))
            {
                var path = device.PathIn(entry.DirectoryPath);
                if (entry.Devices.FindPart(path) is not { } part) continue;
                if (!served.ListBarredRanges().Any(range => range.OffsetBytes == part.OffsetBytes)) continue;
                await StartRemovingAsync(entry, served, path, part, bytesPerSecond: null, "the server");
            }
        }
        catch (Exception e) when (e is AshlarException or ArgumentException or NotSupportedException)
        {
            var message = $"pool {entry.Name}: a device that is to be taken out stays for now: {e.Message}";
            Tell(LogLevel.Warning, LogEvents.ServerNotice, entry.Name, message);
        }
    }

    // Its label may have been erased or not, and it may be somebody else's by now.
    async Task ForgetAsync(PoolEntry entry, RememberedDevice left)
    {
        var alone = entry.Record with { Devices = [entry.Record.Devices[0] with { Path = "" }, left] };
        foreach (var problem in await newDevices.ReleaseAsync(alone))
            Tell(LogLevel.Warning, LogEvents.ServerNotice, entry.Name, $"server: {problem}");
        InstallInstead(entry, left, left with { Path = "" });
    }
}
