using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// Puts the devices of a set in their places, by what they say and not by the order in which they were given; and finds those that cannot
/// be trusted.
/// </summary>
/// <remarks>
/// <para>The newest superblock speaks for the set. Who is in sync for it must be as new, or was on the way to it: an odd generation is
/// only proposed, and before an even one everybody in sync has the odd one.</para>
/// <para>Who replaces a member says so itself. That it has the place counts when all others say it too.</para>
/// <para>Who is missing for it was in sync at some generation for the last time. If it says more, it was started without the others.</para>
/// </remarks>
sealed class ArrayAssembly
{
    readonly string set;
    readonly RaidOptions options;
    readonly List<(IBlockDevice Device, SuperblockPair Pair, MemberSuperblock Says)> found = [];

    ArrayAssembly(string set, RaidOptions options) => (this.set, this.options) = (set, options);

    /// <summary>What the newest member says.</summary>
    public MemberSuperblock Newest { get; private set; } = null!;

    /// <summary>The devices that can be relied on, by their places.</summary>
    public Dictionary<int, (IBlockDevice Device, SuperblockPair Pair)> Placed { get; } = [];

    /// <summary>Devices that wait for a member to fail.</summary>
    public List<(IBlockDevice Device, SuperblockPair Pair, Guid Id, Guid? Replaces)> Spares { get; } = [];

    /// <summary>Devices that were in sync when they left, and may have missed only a part.</summary>
    public Dictionary<int, (IBlockDevice Device, SuperblockPair Pair)> Returned { get; } = [];

    /// <summary>All other devices.</summary>
    public List<IBlockDevice> Ignored { get; } = [];

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<ArrayAssembly> AssembleAsync(IReadOnlyList<IBlockDevice> devices, RaidOptions options)
    {
        var assembly = new ArrayAssembly(options.Name, options);
        RequireDifferent(options.Name, devices);
        foreach (var device in devices) await assembly.ReadAsync(device).ConfigureAwait(false);
        assembly.CheckIdentities();
        assembly.Place();
        return assembly;
    }

    public static void RequireDifferent(string set, IReadOnlyList<IBlockDevice> devices)
    {
        for (var i = 0; i < devices.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (ReferenceEquals(devices[i], devices[j]) || devices[i].Name == devices[j].Name)
                    throw new RaidRefusedException(set, RaidRefusal.SameDevice, $"{devices[i].Name} was given twice");
            }
        }
    }

    /// <summary>The even generation that one belongs to: itself, or what an odd one proposes to follow.</summary>
    public static long SettledAt(long generation) => generation & ~1L;

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadAsync(IBlockDevice device)
    {
        var pair = new SuperblockPair(device);
        try
        {
            found.Add((device, pair, await pair.ReadAsync().ConfigureAwait(false)));
        }
        catch (AshlarException e) when (e is BlockDeviceException or CorruptDataException or UnsupportedFormatException)
        {
            Ignored.Add(device);
            Report(RaidEventKind.DeviceIgnored, $"{device.Name} is not used: {e.Message}", null, e);
        }
    }

    void CheckIdentities()
    {
        if (found.Count == 0)
        {
            var names = string.Join(", ", Ignored.Select(device => device.Name));
            throw new RaidRefusedException(set, RaidRefusal.NoMembers, $"none of {names} is a member of a RAID set");
        }

        var sets = found.GroupBy(member => member.Says.SetId).ToList();
        if (sets.Count > 1)
        {
            var said = string.Join("; ", sets.Select(
                members => $"{string.Join(", ", members.Select(member => member.Device.Name))} of set {members.Key}"));
            throw new RaidRefusedException(set, RaidRefusal.ForeignMember, $"members of different sets: {said}");
        }

        foreach (var same in found.GroupBy(member => member.Says.MemberId).Where(members => members.Count() > 1))
        {
            var names = string.Join(" and ", same.Select(member => member.Device.Name));
            throw new RaidRefusedException(
                set,
                RaidRefusal.ClonedMember,
                $"{names} are the same member, {same.Key}: one is a copy of the other, or another path to it");
        }
    }

    void Place()
    {
        var members = found.Where(member => !member.Says.IsSpare).ToList();
        if (members.Count == 0) throw new RaidRefusedException(set, RaidRefusal.NoMembers, "there are only spares");
        var newest = members.MaxBy(
            member => (member.Says.Replaces is null, member.Says.Generation, member.Says.Sequence));
        Newest = newest.Says;
        foreach (var member in members)
        {
            var (device, pair, says) = member;
            // One that has not heard of it yet says that the set is smaller than it has become.
            if (says.Entries.Count != Newest.Entries.Count || says.Level != Newest.Level || says.ChunkBytes != Newest.ChunkBytes
                || says.Areas.DataAt != Newest.Areas.DataAt || says.Areas.DataBytes > Newest.Areas.DataBytes
                || says.BlockSizeBytes != Newest.BlockSizeBytes || says.RegionBytes != Newest.RegionBytes)
                throw new CorruptDataException(device.Name, 0, $"superblock: not the shape that {newest.Device.Name} of the same set has");
            var entry = Newest.Entries[says.Place];
            if (IsLeftBehind(device, entry, says)) continue;
            CheckFits(device);
            if (entry.Id == says.Replaces) Spares.Add((device, pair, says.MemberId, says.Replaces));
            else if (entry.Id != says.MemberId) Ignore(device, $"{device.Name} is not used: another device has its place {says.Place}");
            else if (entry.State == MemberState.Missing || IsAboutToReturn(entry, says))
                PlaceMissing(device, pair, says, entry, newest.Device, newest.Says.Place);
            else if (says.Generation >= Newest.Generation - 1) Placed[says.Place] = (device, pair);
            else if (options.IsForced) PlaceOld(device, pair, says);
            else Ignore(device, $"{device.Name} is not used: it is at generation {says.Generation} and the set at {Newest.Generation}");
        }

        foreach (var (device, pair, says) in found.Where(member => member.Says.IsSpare))
        {
            if (device.Geometry.SizeBytes < LeastBytes)
            {
                Ignore(device, $"{device.Name} is not used: the set has become larger than it is");
                continue;
            }

            CheckFits(device);
            var place = Newest.Entries.ToList().FindIndex(entry => entry.Id == says.MemberId);
            if (place < 0) Spares.Add((device, pair, says.MemberId, says.Replaces));
            // All but itself know that it is to be rebuilt.
            else if (Newest.Entries[place] is { State: MemberState.Rebuilding, RebuiltBytes: 0 }) Placed[place] = (device, pair);
            else Ignore(device, $"{device.Name} is not used: it does not know that it was member {place}");
        }
    }

    // All but itself know that it is to be given what it has missed.
    bool IsAboutToReturn(MemberEntry entry, MemberSuperblock says) =>
        entry is { State: MemberState.Rebuilding, IsByRegions: true } && says.Generation < Newest.Generation - 1;

    void PlaceMissing(
        IBlockDevice device, SuperblockPair pair, MemberSuperblock says, MemberEntry entry, IBlockDevice newest, int newestPlace)
    {
        var settled = SettledAt(says.Generation);
        var calls = says.Entries[newestPlace];
        // One that failed while it was rebuilt has heard of generations since then.
        var isInSync = says.Entries[says.Place].State == MemberState.InSync;
        if (isInSync && (settled > entry.LeftAt || (settled == entry.LeftAt && calls.State == MemberState.Missing)))
        {
            throw new RaidRefusedException(
                set,
                RaidRefusal.SplitBrain,
                $"{device.Name} and {newest.Name} have gone on without each other since generation {entry.LeftAt}: each holds what the "
                + "other lacks. Start the set from the devices of one side only, and add those of the other side as new ones");
        }

        Report(RaidEventKind.MemberMissing, $"{device.Name} has missed what was written since generation {entry.LeftAt}", says.Place);
        // What the set has become larger by it does not hold, whatever the marks say.
        var isWhole = isInSync && says.Generation >= entry.LeftAt - 1 && says.Areas == Newest.Areas;
        if (isWhole && Newest.MissedSince > 0 && entry.LeftAt >= Newest.MissedSince) Returned[says.Place] = (device, pair);
        else Ignored.Add(device);
    }

    void PlaceOld(IBlockDevice device, SuperblockPair pair, MemberSuperblock says)
    {
        Report(
            RaidEventKind.MemberMissing,
            $"{device.Name} is at generation {says.Generation} and the set at {Newest.Generation}: it is used because that was forced",
            says.Place);
        Placed[says.Place] = (device, pair);
    }

    long LeastBytes => Newest.Areas.DataAt + Newest.Areas.DataBytes;

    // One that was replaced, or is missing, need not be as large as the set has become without it.
    bool IsLeftBehind(IBlockDevice device, MemberEntry entry, MemberSuperblock says)
    {
        if (device.Geometry.SizeBytes >= LeastBytes || says.Areas == Newest.Areas) return false;
        if (entry.Id == says.MemberId && entry.State != MemberState.Missing && says.Generation >= Newest.Generation - 1) return false;
        Ignore(device, $"{device.Name} is not used: the set went on without it, and has become larger than it is");
        return true;
    }

    void CheckFits(IBlockDevice device)
    {
        var least = LeastBytes;
        if (device.Geometry.SizeBytes < least)
            throw new RaidRefusedException(
                set, RaidRefusal.Unfit, $"{device.Name} has {device.Geometry.SizeBytes} bytes, and the set uses {least} of it");
        if (device.Geometry.BlockSizeBytes != Newest.BlockSizeBytes)
            throw new RaidRefusedException(
                set,
                RaidRefusal.Unfit,
                $"{device.Name} has blocks of {device.Geometry.BlockSizeBytes} bytes, and the set of {Newest.BlockSizeBytes}");
    }

    void Ignore(IBlockDevice device, string message)
    {
        Ignored.Add(device);
        Report(RaidEventKind.DeviceIgnored, message, null);
    }

    void Report(RaidEventKind kind, string message, int? place, Exception? cause = null) =>
        options.Events?.Invoke(new RaidEvent(kind, message, place, cause));
}
