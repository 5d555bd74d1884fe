using Ashlar.Api;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
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
        var exported = PoolEntry.Closed(record, entry.DirectoryPath, problem: null);
        try
        {
            await entry.ExportAsync();
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
        var found = await IdentifyAsync(request.Devices);
        var entry = entries.FirstOrDefault(each => found.IsOf(each.Record));
        if (entry is null && !found.IsComplete)
        {
            throw new ApiException(
                ProblemKind.PoolNotFound,
                $"{found.First} is of pool {found.Identity!.Name} ({found.Identity.Id}), whose map this server does not have");
        }
        if (entry?.Served is not null) throw new ApiException(ProblemKind.Exists, $"pool {entry.Name} is in use already");
        var record = RecordOf(found, entry, request.Name);
        PoolEntry opened;
        try
        {
            RememberedPool Admit(RememberedPool remembered, PoolIdentity identity) => AdmitPool(remembered, identity, entry, request.Name);
            opened = await PoolEntry.OpenAsync(
                record,
                PathOf(record),
                opening with { IsForced = request.Force, AcceptsLoss = request.AcceptLoss, Admit = Admit });
        }
        catch (Exception e) when (e is PoolInUseException or RaidRefusedException { Reason: RaidRefusal.InUseElsewhere })
        {
            throw new ApiException(ProblemKind.InUse, e.Message) { Hint = "if that machine is gone for certain, use force" };
        }
        catch (RaidRefusedException e) when (e.Reason is RaidRefusal.UncleanAndDegraded or RaidRefusal.LeftBehind)
        {
            throw new ApiException(ProblemKind.UnusableDevice, $"pool {record.Name} cannot be opened: {e.Message}")
            {
                Hint = "name the devices that are missing too; if they are gone for good, accept the loss",
            };
        }
        catch (AshlarException e) when (NewDevices.IsOfDevice(e) && e is not ServerStartException)
        {
            throw new ApiException(ProblemKind.UnusableDevice, $"pool {record.Name} cannot be opened: {e.Message}");
        }
        try
        {
            registry.Install(opened.Record);
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
        if (entry is null) Add(opened);
        else Replace(entry, opened);
        TryRemember(opened);
        await GoOnRemovingAsync(opened);
        Tell(LogLevel.Information, LogEvents.PoolImported, opened.Name, $"pool {opened.Name}: imported, by {by}", by);
        return opened;
    }

    RememberedPool RecordOf(FoundPool found, PoolEntry? entry, string? newName)
    {
        var name = newName ?? entry?.Name ?? found.Identity?.Name;
        if (name is not null && name != entry?.Name) RequireFree(name);
        var before = entry?.Record.Devices ?? [];
        // A device that is missing is where it was, for all that is known.
        List<RememberedDevice> devices =
        [
            .. found.Paths.Select(path => before.FirstOrDefault(each => !each.IsGone && each.Path == path)
                ?? new RememberedDevice(path, IsOwn: false)).Select(each => each with { IsLeftOut = false }),
        ];
        if (found.Raid is not null) devices.AddRange(before.Where(found.Lacks).Select(each => each with { IsLeftOut = true }));
        foreach (var (index, gone) in before.Index().Where(each => each.Item.IsGone))
            devices.Insert(Math.Min(index, devices.Count), gone with { Path = "" });
        if (entry is not null) return entry.Record with { Name = name!, Stage = PoolStage.Ready, Devices = devices };
        var number = registry.NextNumber();
        return new()
        {
            Number = number,
            Name = name ?? found.First,
            Directory = FreeDirectory($"imported-{number}", number),
            SetId = found.SetId ?? options.Entropy.NextGuid(),
            IsPlaced = true,
            Raid = found.Raid,
            Devices = devices,
        };
    }

    // Of a RAID set only now is it known which pool it holds.
    RememberedPool AdmitPool(RememberedPool record, PoolIdentity identity, PoolEntry? entry, string? newName)
    {
        if (entries.FirstOrDefault(each => each != entry && each.Record.PoolId == identity.Id) is { } other)
        {
            throw new ApiException(
                ProblemKind.Exists, $"the devices hold pool {other.Name} ({identity.Id}), which this server has already");
        }
        if (entry is not null || newName is not null) return record;
        RequireFree(identity.Name);
        return record with { Name = identity.Name };
    }

    async Task<FoundPool> IdentifyAsync(IReadOnlyList<string> paths)
    {
        (string Path, PoolIdentity Identity)? first = null;
        var (others, sets, members) = (new List<string>(), new HashSet<Guid>(), new List<RaidMembership>());
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (!seen.Add(FindIdentity(path))) throw NewDevices.Unusable(path, "it is named twice");
            try
            {
                await using var device = FileDevice.Open(options.FileSystem, path, PoolFiles.BlockSizeBytes, isReadOnly: true);
                if (await RaidArray.IdentifyAsync(device) is { } member)
                {
                    members.Add(member);
                }
                else if (await StoragePool.IdentifyAsync(device) is not { } identity)
                {
                    if (await ConcatDevice.FindSetAsync(device) is not { } set) throw NewDevices.Unusable(path, "it holds no pool");
                    sets.Add(set);
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
        if (members.Count > 0)
        {
            if (members.Count < paths.Count || members.Any(member => member.SetId != members[0].SetId))
                throw NewDevices.Unusable(paths[0], "some devices are of its RAID set, and others are not");
            return new(paths, members[0].SetId, members[0].Level, null) { Members = [.. members.Select(member => member.MemberId)] };
        }
        if (first is not { } found) throw NewDevices.Unusable(paths[0], "the first device of its pool is not named");
        return new([found.Path, .. others], sets.Count == 1 ? sets.First() : null, null, found.Identity);
    }

    /// <summary>What devices that were named hold.</summary>
    /// <param name="Paths">They, the first of the pool first.</param>
    /// <param name="SetId">The set that they say that they belong to; null where that is not said.</param>
    /// <param name="Raid">How they are a RAID set; null where they are none.</param>
    /// <param name="Identity">The pool; null where only the whole set tells.</param>
    sealed record FoundPool(IReadOnlyList<string> Paths, Guid? SetId, RaidLevel? Raid, PoolIdentity? Identity)
    {
        /// <summary>What they are known by in a RAID set.</summary>
        public IReadOnlyList<Guid> Members { get; init; } = [];

        public string First => Paths[0];

        /// <summary>Whether a device that is remembered is not among them, by its path or by another one.</summary>
        public bool Lacks(RememberedDevice device) =>
            !Paths.Contains(device.Path, StringComparer.Ordinal) && !(device.MemberId is { } id && Members.Contains(id));

        /// <summary>Whether nothing else is needed to open it.</summary>
        public bool IsComplete => Identity is null or { IsPlaced: true };

        public bool IsOf(RememberedPool record) =>
            Raid is null ? record.PoolId == Identity!.Id : record.Raid is not null && record.SetId == SetId;
    }
}
