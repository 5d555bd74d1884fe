using System.Globalization;
using Ashlar.Api;
using Ashlar.Blocks.Raid;

namespace Ashlar.Server;

/// <summary>What is told of the RAID set of a pool, and of the devices that are remembered of it.</summary>
static class RaidDescription
{
    /// <summary>The set as a whole; null where the pool has none.</summary>
    public static PoolRaid? Set(PoolEntry entry)
    {
        if (entry.Record.Raid is not { } level) return null;
        if (entry.Served is null || entry.Devices.Raid is not { } raid) return new((int)level, null);
        var rebuilding = raid.Members.Where(member => member.State == MemberState.Rebuilding).ToList();
        return new((int)level, StateOf(raid.State))
        {
            ChunkBytes = raid.ChunkBytes,
            UnusedBytes = raid.LargestBytes - raid.Geometry.SizeBytes is > 0 and var unused ? unused : null,
            DoneBytes = rebuilding.Count > 0 ? rebuilding.Sum(member => member.RebuiltBytes) : null,
            TotalBytes = rebuilding.Count > 0 ? rebuilding.Sum(member => member.DataBytes) : null,
            SecondsLeft = Seconds(rebuilding.Max(member => member.TimeLeft)),
        };
    }

    /// <summary>All devices: members by their place, spares, and what belongs to it no more; null where nothing tells.</summary>
    public static IReadOnlyList<PoolDeviceInfo>? Devices(PoolEntry entry)
    {
        if (entry.Record.Raid is null || entry.Served is null || entry.Devices.Raid is not { } raid) return null;
        var devices = entry.Devices;
        var left = entry.Record.Devices.ToList();
        var (told, replacing) = (new List<PoolDeviceInfo>(), new List<PoolDeviceInfo>());
        foreach (var member in raid.Members)
        {
            var path = TakePath(member);
            told.Add(new(path)
            {
                Place = member.Place,
                State = StateOf(member),
                Error = devices.ProblemOf(path) ?? member.Failure,
                DoneBytes = member.State == MemberState.Rebuilding ? member.RebuiltBytes : null,
                TotalBytes = member.State == MemberState.Rebuilding ? member.DataBytes : null,
                SecondsLeft = Seconds(member.TimeLeft),
            });
            if (member.Replacement is not { } replacement) continue;
            left.RemoveAll(device => device.Path == replacement.Device);
            replacing.Add(new(replacement.Device)
            {
                State = PoolDeviceStates.Replacing,
                Error = devices.ProblemOf(replacement.Device),
                DoneBytes = replacement.CopiedBytes,
                TotalBytes = member.DataBytes,
                SecondsLeft = Seconds(replacement.TimeLeft),
            });
        }
        var unused = left.Select(device => new PoolDeviceInfo(device.Path)
        {
            State = PoolDeviceStates.Unused,
            Error = devices.ProblemOf(device.Path),
        });
        return [.. told, .. replacing, .. unused];

        string TakePath(RaidMemberStatus member)
        {
            var index = left.FindIndex(device => member.State != MemberState.Missing && device.Path == member.Device);
            if (index < 0) index = left.FindIndex(device => device.MemberId == member.Id);
            if (index < 0) return member.Device ?? "";
            var path = left[index].Path;
            left.RemoveAt(index);
            return path;
        }
    }

    /// <summary>What an operator should do something about, a sentence each.</summary>
    public static IReadOnlyList<string> Warnings(PoolEntry entry)
    {
        if (entry.Served is null) return [];
        var devices = entry.Devices;
        if (devices.Raid is not { } raid)
        {
            return
            [
                .. devices.Opened.Select(each => devices.ProblemOf(each.Path)).OfType<string>()
                    .Select(gone => $"pool {entry.Name}: {gone}; copy what is on it elsewhere before the server is stopped"),
            ];
        }
        var warnings = new List<string>();
        var all = Devices(entry)!;
        var lacking = all.Where(device => device.State is PoolDeviceStates.Failed or PoolDeviceStates.Missing).ToList();
        if (lacking.Count > 0)
        {
            var names = string.Join(", ", lacking.Select(device => device.Path.Length > 0 ? device.Path : $"member {device.Place}"));
            warnings.Add($"pool {entry.Name} is {StateOf(raid.State)}: RAID-{(int)raid.Level} goes on without {names}; put another "
                + $"device in its place: 'ashlar pool replace {entry.Name} {NameOf(lacking[0])} NEW'");
        }
        else if (raid.State == RaidArrayState.Rebuilding)
        {
            warnings.Add($"pool {entry.Name} is being rebuilt, and has less redundancy until that is done");
        }
        warnings.AddRange(all
            .Where(device => device is { State: PoolDeviceStates.InSync or PoolDeviceStates.Rebuilding, Error: not null })
            .Select(device => $"pool {entry.Name}: {device.Error}"));
        // A spare that is not there steps in for nobody.
        warnings.AddRange(all
            .Where(device => device is { State: PoolDeviceStates.Unused, Error: not null })
            .Select(device => $"pool {entry.Name} does not use {device.Path}: {device.Error}; take it out with 'ashlar pool remove-device "
                + $"{entry.Name} {device.Path}', or add it again"));
        return warnings;
    }

    static string NameOf(PoolDeviceInfo device) => device.Path.Length > 0 ? device.Path
        : device.Place!.Value.ToString(CultureInfo.InvariantCulture);

    static string StateOf(RaidArrayState state) => state switch
    {
        RaidArrayState.Healthy => PoolRaidStates.Healthy,
        RaidArrayState.Degraded => PoolRaidStates.Degraded,
        RaidArrayState.Rebuilding => PoolRaidStates.Rebuilding,
        _ => PoolRaidStates.Failed,
    };

    static string StateOf(RaidMemberStatus member) => member.State switch
    {
        MemberState.InSync => PoolDeviceStates.InSync,
        MemberState.Rebuilding => PoolDeviceStates.Rebuilding,
        MemberState.Spare => PoolDeviceStates.Spare,
        _ => member.Failure is null ? PoolDeviceStates.Missing : PoolDeviceStates.Failed,
    };

    static long? Seconds(TimeSpan? time) => (long?)time?.TotalSeconds;
}
