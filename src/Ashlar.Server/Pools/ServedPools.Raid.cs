using System.Globalization;
using Ashlar.Api;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <remarks>
/// <para>Devices of RAID sets come and go while the pool is in use. The set knows its members by what is on them; the record only says
/// where to look for them. Crash orders:</para>
/// <para>A device comes: the record has it, then it is labelled and the set takes it. A crash in between leaves a device that does not say
/// that it belongs to the set: it is told as unused, and can be taken out or added again. The other way round a member that the set counts
/// on could not be found.</para>
/// <para>A device goes: the set does without it, then it stops to say that it belongs to the set, then the record does without it. A
/// crash in between leaves a device that is told as unused.</para>
/// <para>A device is replaced: the record says that the old one is to leave, and has the new one, then the set begins. When the set knows
/// the old one no more, and lacks nothing, it goes as above, by the watch, also after a restart, after which the set takes the replacement
/// up again. One that is still in sync, and that nothing replaces any more, stays.</para>
/// </remarks>
sealed partial class ServedPools
{
    static readonly TimeSpan ReleaseStep = TimeSpan.FromMilliseconds(20), LongestRelease = TimeSpan.FromSeconds(10);

    /// <summary>Puts a device in the place of another one of a RAID set; ends when that has begun.</summary>
    public async Task<PoolEntry> ReplaceDeviceAsync(string name, ReplacePoolDevice request, string by)
    {
        using var mine = await EnterAsync();
        var (entry, raid) = GetRaid(name);
        var (device, member, label) = GetNamed(entry, raid, request.Path);
        if (member is not { Place: { } place })
        {
            throw new ApiException(
                ProblemKind.InvalidRequest,
                $"{label} has no place in the RAID set of pool {name}: it is {(member is null ? "not used" : "a spare")}")
            {
                Hint = "take it out, and add another one as a spare",
            };
        }
        if (member.State == MemberState.Rebuilding || member.Replacement is not null)
            throw new ApiException(ProblemKind.InUse, $"{label} is being rebuilt or replaced");
        var returning = FindKnown(entry, request.Replacement);
        var (taken, prepared) = await PrepareMemberAsync(entry, raid, request.Replacement, request.Force, returning);
        var before = entry.Record;
        var others = before.Devices.Where(each => each != returning)
            .Select(each => each.Path == device?.Path ? each with { IsLeaving = true } : each);
        var record = before with { Devices = [.. others, taken] };
        await TakeAsync(entry, taken, prepared, record, () => raid.ReplaceAsync(place, prepared.Device));
        var message = $"pool {name}: {label} is replaced by {request.Replacement}, by {by}";
        Tell(LogLevel.Information, LogEvents.PoolDeviceReplaced, name, message, by);
        return entry;
    }

    // Takes a device out that the set does without.
    async Task RemoveMemberAsync(PoolEntry entry, RaidArray raid, string path, string by)
    {
        var name = entry.Name;
        if (raid.Members.FirstOrDefault(each => each.Replacement?.Device == path) is { Place: { } replaced })
            await GiveUpReplacementAsync(raid, replaced, path);
        var (device, member, label) = GetNamed(entry, raid, path);
        if (member is { Place: { } place })
        {
            throw new ApiException(
                ProblemKind.InUse,
                member.State == MemberState.Missing
                    ? $"{label} is member {place} of the RAID set of pool {name}, and no other device has its place"
                    : $"{label} is in use, as member {place} of the RAID set of pool {name}")
            {
                Hint = $"put another device in its place: ashlar pool replace {name} {path} NEW",
            };
        }
        Invariant.Require(device is not null); // Places are of members.
        if (member is not null && raid.TakeSpare(member.Id) is null)
            throw new ApiException(ProblemKind.InUse, $"{path} is no spare any more: it has stepped in");
        await LetGoAsync(entry, device, isClosed: member is null);
        Tell(LogLevel.Information, LogEvents.PoolDeviceRemoved, name, $"pool {name}: {path} removed, by {by}", by);
    }

    // The member stays. What goes on in the background comes first, and may be the rebuild of another one.
    static async Task GiveUpReplacementAsync(RaidArray raid, int place, string path)
    {
        raid.FailReplacement(place, "it is taken out");
        for (var waited = TimeSpan.Zero; raid.Members.Any(each => each.Replacement?.Device == path); waited += ReleaseStep)
        {
            if (waited >= LongestRelease)
                throw new ApiException(ProblemKind.InUse, $"{path} does not replace member {place} any more, and is let go of in a while");
            await Task.Delay(ReleaseStep);
        }
    }

    async Task<PoolEntry> AddSpareAsync(PoolEntry entry, AddPoolDevice request, string by)
    {
        var (_, raid) = GetRaid(entry.Name);
        if (raid.CopyCount == 1)
            throw new ApiException(ProblemKind.NotSupported, "RAID-0 has no redundancy, so that a spare could not step in");
        var returning = FindKnown(entry, request.Path);
        var (taken, prepared) = await PrepareMemberAsync(entry, raid, request.Path, request.Force, returning);
        var before = entry.Record;
        var others = before.Devices.Where(each => each != returning);
        await TakeAsync(entry, taken, prepared, before with { Devices = [.. others, taken] }, () => raid.AddSpareAsync(prepared.Device));
        var message = $"pool {entry.Name}: {request.Path} added as a spare, by {by}";
        Tell(LogLevel.Information, LogEvents.PoolDeviceAdded, entry.Name, message, by);
        return entry;
    }

    async Task<(RememberedDevice Taken, PoolDevice Prepared)> PrepareMemberAsync(
        PoolEntry entry, RaidArray raid, string path, bool force, RememberedDevice? returning)
    {
        var taken = (await CheckNewAsync([path], raid.MemberBytes, force, returning is null ? null : entry))[0];
        Guid? ofSet = returning is null ? null : entry.Record.SetId;
        if (returning is not null)
        {
            // What the set has open of it is of no use any more, and keeps others out.
            await entry.Devices.ForgetAsync(returning.Path);
            taken = taken with { IsOwn = taken.IsOwn || returning.IsOwn };
        }
        return (taken, await newDevices.PrepareAsync(taken, raid.MemberBytes, force, ofSet, isReserved: true));
    }

    async Task TakeAsync(PoolEntry entry, RememberedDevice taken, PoolDevice prepared, RememberedPool record, Func<ValueTask> take)
    {
        var before = entry.Record;
        try
        {
            registry.Install(record);
            await take();
        }
        catch (Exception e)
        {
            await GiveUpAsync(taken, prepared);
            TakeBack(before);
            throw e is AshlarException refused && NewDevices.IsOfDevice(refused) ? NewDevices.Unusable(taken.Path, refused.Message) : e;
        }
        entry.Record = record;
        entry.Devices.Keep(taken.Path, prepared);
        TryRemember(entry);
    }

    // What the change failed for is told, not that its record stays.
    void TakeBack(RememberedPool before)
    {
        try
        {
            registry.Install(before);
        }
        catch (AshlarException e)
        {
            var message = $"server: the record of pool {before.Name} names a device that was not taken: {e.Message}";
            Tell(LogLevel.Warning, LogEvents.ServerNotice, before.Name, message);
        }
    }

    // Called by the watch. While somebody else changes pools it can wait until the next look.
    async Task NoteDevicesAsync(PoolEntry entry)
    {
        if (entry.Record.Raid is null || !await turn.WaitAsync(0)) return;
        try
        {
            if (!entries.Contains(entry) || entry.Devices.Raid is not { } raid) return;
            Remember(entry);
            foreach (var device in entry.Record.Devices.Where(each => each.IsLeaving).ToList())
            {
                var member = FindMember(entry, raid, device);
                if (member is { State: MemberState.InSync, Replacement: null, IsSettled: true } && member.Device == device.Path)
                    Stay(entry, device);
                // While the set lacks anything, it may have what the others have lost.
                if (member is not null || !IsWhole(raid)) continue;
                await LetGoAsync(entry, device, isClosed: true);
                var message = $"pool {entry.Name}: {device.Path} has been replaced";
                Tell(LogLevel.Information, LogEvents.PoolDeviceReplaced, entry.Name, message);
            }
        }
        catch (StorageException e)
        {
            TellUnnoted(entry, e);
        }
        finally
        {
            turn.Release();
        }
    }

    static bool IsWhole(RaidArray raid) =>
        raid.Members.All(static member => member.Place is null || member is { State: MemberState.InSync, IsSettled: true });

    // What was to replace it does not.
    void Stay(PoolEntry entry, RememberedDevice device)
    {
        var devices = entry.Record.Devices.Select(each => each.Path == device.Path ? each with { IsLeaving = false } : each);
        var record = entry.Record with { Devices = [.. devices] };
        registry.Install(record);
        entry.Record = record;
    }

    // After a change that has happened, whether or not there is room for this. The watch tries it again.
    void TryRemember(PoolEntry entry)
    {
        try
        {
            Remember(entry);
        }
        catch (StorageException e)
        {
            TellUnnoted(entry, e);
        }
    }

    void TellUnnoted(PoolEntry entry, StorageException e)
    {
        var message = $"server: devices of pool {entry.Name} could not be noted: {e.Message}";
        Tell(LogLevel.Warning, LogEvents.ServerNotice, entry.Name, message);
    }

    // By what they are known in the set, so that one that is missing can be told by where it was; and how far the set has come, so that
    // members which were left behind are not started without the others. What is replaced leaves, also if that began elsewhere.
    void Remember(PoolEntry entry)
    {
        if (entry.Devices.Raid is not { } raid) return;
        var (ids, leaving) = (new Dictionary<string, Guid>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var member in raid.Members)
        {
            if (member is { State: not MemberState.Missing, Device: { } path }) ids[path] = member.Id;
            if (member.Replacement is not { } replacement) continue;
            ids[replacement.Device] = replacement.Id;
            if (member.Device is { } replaced) leaving.Add(replaced);
        }
        var devices = entry.Record.Devices.Select(each => each with
        {
            MemberId = ids.TryGetValue(each.Path, out var id) ? id : each.MemberId,
            IsLeaving = each.IsLeaving || leaving.Contains(each.Path),
        });
        var record = entry.Record with { Devices = [.. devices], RaidGeneration = raid.Generation };
        if (record.RaidGeneration == entry.Record.RaidGeneration && record.Devices.SequenceEqual(entry.Record.Devices)) return;
        registry.Install(record);
        entry.Record = record;
    }

    // A device that the set does without.
    async Task LetGoAsync(PoolEntry entry, RememberedDevice device, bool isClosed)
    {
        Invariant.Require(!IsUsed(entry, device.Path)); // It is about to be erased.
        var opened = entry.Devices.Opened.FirstOrDefault(each => each.Path == device.Path).Opened;
        var isErased = opened is not null && await NewDevices.TryEraseMemberAsync(opened.Device, entry.Record.SetId, device.MemberId);
        var isInPlace = isErased && IsInPlace(opened!);
        if (!isClosed && opened is not null) await CloseAsync(opened);
        await entry.Devices.ForgetAsync(device.Path);
        if (isInPlace && device.IsOwn) newDevices.RemoveOwn(device.Path);
        var record = entry.Record with { Devices = [.. entry.Record.Devices.Where(each => each.Path != device.Path)] };
        registry.Install(record);
        entry.Record = record;
    }

    static bool IsInPlace(PoolDevice device)
    {
        try
        {
            return device.Device.IsInPlace;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    static async Task CloseAsync(PoolDevice device)
    {
        try
        {
            await device.DisposeAsync();
        }
        catch (AshlarException)
        {
            // It is given up.
        }
    }

    (PoolEntry Entry, RaidArray Raid) GetRaid(string name)
    {
        var entry = GetEntry(name);
        _ = Get(name);
        return entry.Devices.Raid is { } raid ? (entry, raid)
            : throw new ApiException(ProblemKind.NotSupported, $"pool {name} is no RAID set: no device of it can be spared or replaced");
    }

    static RememberedDevice GetDevice(PoolEntry entry, string path) => entry.Record.Devices.FirstOrDefault(device => device.Path == path)
        ?? throw new ApiException(ProblemKind.InvalidRequest, $"{path} is not a device of pool {entry.Name}")
        {
            Hint = $"its devices: {string.Join(", ", entry.Record.Devices.Select(device => device.Path))}",
        };

    // A device of the pool that is named as the record does, or otherwise: a disk has several nodes.
    RememberedDevice? FindKnown(PoolEntry entry, string path)
    {
        var devices = entry.Record.Devices;
        if (devices.FirstOrDefault(each => each.Path == path) is { } named) return named;
        if (!options.FileSystem.FileExists(path)) return null;
        var identity = FindIdentity(path);
        return devices.FirstOrDefault(each => options.FileSystem.FileExists(each.Path) && FindIdentity(each.Path) == identity);
    }

    // A device by its path, or a member by its place: where one is that has always been missing, nobody knows.
    static (RememberedDevice? Device, RaidMemberStatus? Member, string Label) GetNamed(PoolEntry entry, RaidArray raid, string name)
    {
        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var place))
        {
            var named = GetDevice(entry, name);
            return (named, FindMember(entry, raid, named), name);
        }
        var member = raid.Members.FirstOrDefault(each => each.Place == place) ?? throw new ApiException(
            ProblemKind.InvalidRequest,
            $"the RAID set of pool {entry.Name} has no member {place}: 0 to {raid.Members.Count(each => each.Place is not null) - 1}");
        var device = entry.Record.Devices.FirstOrDefault(each => FindMember(entry, raid, each)?.Place == place);
        return (device, member, device?.Path ?? $"member {place}");
    }

    static RaidMemberStatus? FindMember(PoolEntry entry, RaidArray raid, RememberedDevice device)
    {
        var members = raid.Members;
        var found = members.FirstOrDefault(member => member.State != MemberState.Missing && member.Device == device.Path)
            ?? members.FirstOrDefault(member => member.Id == device.MemberId);
        // Another device may have its name by now.
        return found is { State: not MemberState.Missing } && found.Device != device.Path
            && entry.Record.Devices.Any(other => other.Path == found.Device) ? null : found;
    }

    static bool IsUsed(PoolEntry entry, string path) => entry.Served is null || entry.Devices.Raid is not { } raid
        || raid.Members.Any(member => (member.State != MemberState.Missing && member.Device == path) || member.Replacement?.Device == path);
}
