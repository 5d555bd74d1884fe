using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

// What pools lie on.
sealed partial class ServedPools
{
    const int DefaultChunkBytes = 64 * 1024;

    /// <summary>Adds a device, behind the others, while the pool is in use; or a spare.</summary>
    public async Task<PoolEntry> AddDeviceAsync(string name, AddPoolDevice request, string by)
    {
        using var mine = await EnterAsync();
        var entry = GetEntry(name);
        var served = Get(name);
        if (request.SizeBytes is < 1 or > StoragePool.MaxCapacityBytes)
            throw new ApiException(ProblemKind.InvalidSize, $"a device of {request.SizeBytes} bytes is not possible: 1 PiB at most");
        if (request.IsSpare) return await AddSpareAsync(entry, request, by);
        if (entry.Devices.Raid is not null)
        {
            throw new ApiException(ProblemKind.NotSupported, $"pool {name} is a RAID set, which does not grow by a device")
            {
                Hint = "add it as a spare; or put larger devices in the places of its members, one after the other, and resize the pool",
            };
        }
        var device = (await CheckNewAsync([request.Path], request.SizeBytes, request.Force))[0];
        var set = entry.Devices.Device!;
        var lengthBytes = request.SizeBytes is not { } size ? 0
            : ConcatDevice.DeviceBytesFor(entry.Record.IsPlaced ? StoragePool.PlacedBytesToAdd(size) : size);
        var prepared = await newDevices.PrepareAsync(device, lengthBytes, request.Force);
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
        entry.Devices.Keep(device.Path, prepared);
        Tell(LogLevel.Information, LogEvents.PoolDeviceAdded, name, $"pool {name}: {device.Path} added, by {by}", by);
        await served.GrowOverDeviceAsync(by);
        return entry;
    }

    Task<IReadOnlyList<RememberedDevice>> CheckNewAsync(
        IReadOnlyList<string> paths, long? sizeBytes, bool force, PoolEntry? returningTo = null)
    {
        if (paths.Count == 0 && sizeBytes is null)
            throw new ApiException(ProblemKind.InvalidRequest, "a pool without devices is a file of the server: say of which size");
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry.Record.Stage == PoolStage.Exported) continue;
            foreach (var device in entry.Record.Devices.Where(device => !device.IsWithin && !device.IsGone))
            {
                // A device that a RAID set does without may come back to it, or another one be in its place.
                if (entry == returningTo && !IsUsed(entry, device.Path)) continue;
                taken[FindIdentity(device.Path)] = entry.Name;
            }
        }
        return newDevices.CheckAsync(paths, sizeBytes, force, taken, returningTo?.Record.SetId);
    }

    string FindIdentity(string path)
    {
        try
        {
            return newDevices.Identify(path);
        }
        catch (ApiException)
        {
            return path; // It is not there.
        }
    }

    static IReadOnlyList<string> CheckRaid(CreatePool request)
    {
        if (request.Raid is not { } raid) return request.Devices ?? [];
        var (members, spares) = (request.Devices ?? [], raid.Spares ?? []);
        var level = (RaidLevel)raid.Level;
        if (!Enum.IsDefined(level)) throw new ApiException(ProblemKind.InvalidRequest, $"there is no RAID-{raid.Level}: 0, 1, 5, 6 or 10");
        if (!RaidArray.IsPossible(level, members.Count))
        {
            var even = level == RaidLevel.Raid10 ? ", an even number" : "";
            throw new ApiException(
                ProblemKind.InvalidRequest,
                $"RAID-{raid.Level} takes {RaidArray.LeastMembers(level)} to {RaidArray.MostMembers} devices{even}, not {members.Count}");
        }
        if (level == RaidLevel.Raid0 && spares.Count > 0)
            throw new ApiException(ProblemKind.InvalidRequest, "RAID-0 has no redundancy, so that a spare could not step in");
        if (!RaidArray.IsPossibleChunk(raid.ChunkBytes ?? DefaultChunkBytes))
        {
            throw new ApiException(
                ProblemKind.InvalidRequest, $"chunks of {raid.ChunkBytes} bytes are not possible: a power of two from 4,096 to 16,777,216");
        }
        return [.. members, .. spares];
    }

    /// <summary>Lengths of the files that are created for a pool, so that each holds what was asked for.</summary>
    /// <exception cref="ApiException">No pool is that large.</exception>
    static Func<int, long> FileBytes(CreatePool request, int count)
    {
        if (request.SizeBytes is not { } size) return static _ => 0;
        if (count == 0) return _ => StoragePool.DeviceBytesFor(size);
        var members = request.Raid is { } raid
            ? RaidArray.DataMembers((RaidLevel)raid.Level, request.Devices!.Count)
            : count;
        if (size > StoragePool.MaxCapacityBytes / members)
            throw new ApiException(ProblemKind.InvalidSize, $"a pool of {members} times {size} bytes is not possible: 1 PiB at most");
        var all = StoragePool.PlacedDeviceBytesFor(size * members);
        if (request.Raid is not null)
        {
            var length = RaidArray.DeviceBytesFor(
                (RaidLevel)request.Raid.Level, request.Devices!.Count, request.Raid.ChunkBytes ?? DefaultChunkBytes, all);
            return _ => length;
        }
        if (!request.IsPortable) return number => number == 0 ? StoragePool.DeviceBytesFor(size) : ConcatDevice.DeviceBytesFor(size);
        // The first one has the metadata of all.
        var others = ConcatDevice.DeviceBytesFor(size);
        var first = all - ((count - 1) * ConcatDevice.UsableBytes(others));
        return number => number == 0 ? first : others;
    }

    // The pool is formatted and closed again; what fails leaves devices that look as before.
    async Task MakeAsync(RememberedPool record, CreatePool request)
    {
        if (record.Raid is not null)
        {
            await MakeRaidAsync(record, request);
            return;
        }
        if (!record.IsPlaced) directory.CreatePool(record.Directory);
        var lengths = FileBytes(request, record.Devices[0].IsWithin ? 0 : record.Devices.Count);
        var prepared = new List<(RememberedDevice Device, PoolDevice Opened)>();
        var isDone = false;
        try
        {
            foreach (var device in record.Devices)
            {
                var lengthBytes = lengths(prepared.Count);
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
            if (record.IsPlaced) await FormatPlacedAsync(record, set);
            else await PoolFiles.FormatAsync(PathOf(record), record.Name, set, options);
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

    // What fails is taken back by whoever takes back the record: each device says, or does not yet, to which set it belongs.
    async Task MakeRaidAsync(RememberedPool record, CreatePool request)
    {
        var lengths = FileBytes(request, record.Devices.Count);
        var prepared = new List<PoolDevice>();
        RaidArray? raid = null;
        try
        {
            foreach (var device in record.Devices)
                prepared.Add(await newDevices.PrepareAsync(device, lengths(prepared.Count), request.Force, isReserved: true));
            var shared = PoolDevices.RaidOptions(options);
            raid = await RaidArray.CreateAsync([.. prepared.Select(each => each.Device)], new()
            {
                Name = shared.Name,
                Host = shared.Host,
                TimeProvider = shared.TimeProvider,
                Entropy = shared.Entropy,
                IsForced = true, // What they hold was looked at.
                SetId = record.SetId,
                Level = record.Raid!.Value,
                ChunkBytes = request.Raid!.ChunkBytes ?? DefaultChunkBytes,
                SpareCount = request.Raid.Spares?.Count ?? 0,
                AreZeroed = record.Devices.All(device => device.IsOwn),
            });
            await FormatPlacedAsync(record, raid);
        }
        catch (Exception e) when (e is ArgumentException or RaidRefusedException)
        {
            throw NewDevices.Unusable(record.Devices[0].Path, e.Message);
        }
        finally
        {
            try
            {
                if (raid is not null) await raid.DisposeAsync();
            }
            finally
            {
                // Each, whatever becomes of another one.
                foreach (var device in prepared)
                {
                    if (raid is null) await CloseAsync(device);
                    else device.Hold?.Dispose();
                }
            }
        }
    }

    async Task FormatPlacedAsync(RememberedPool record, IBlockDevice device)
    {
        try
        {
            await StoragePool.FormatAsync(record.Name, device, PoolFiles.PoolOptions(options));
        }
        catch (ArgumentOutOfRangeException)
        {
            throw NewDevices.Unusable(
                record.Devices[0].Path,
                $"{BinarySize.Format(device.Geometry.SizeBytes)} are too few for a pool, whose metadata take 24 MiB and a 64th");
        }
    }

    // What fails here matters less than what it is given up for. Invariant: only what was made or empty before is erased. A device that
    // was refused on coming back may hold what no other does.
    async Task GiveUpAsync(RememberedDevice device, PoolDevice opened)
    {
        try
        {
            if (opened is { IsCreated: false, IsReturning: false }) await DeviceSignatures.EraseAsync(opened.Device);
            await opened.DisposeAsync();
            if (opened.IsCreated) newDevices.RemoveOwn(device.Path);
        }
        catch (AshlarException e)
        {
            var message = $"server: {device.Path} may still look like a device of a pool: {e.Message}";
            Tell(LogLevel.Warning, LogEvents.ServerNotice, null, message);
        }
    }
}
