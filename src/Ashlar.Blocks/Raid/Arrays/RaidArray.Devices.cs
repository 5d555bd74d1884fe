using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

// Devices that come, take a place, and go.
public sealed partial class RaidArray
{
    Place? steppingIn; // A spare that cannot be taken away any more; guarded as they are.

    /// <summary>A device waits for a member to fail from now on; if one has, it takes its place. The set takes it over.</summary>
    /// <exception cref="RaidRefusedException">It is in use, belongs to the set, or does not fit.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask AddSpareAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var spare = await PrepareSpareAsync(device).ConfigureAwait(false);
        lock (spares) spares.Add(spare);
        Report(RaidEventKind.SpareAdded, $"{device.Name} waits for a member to fail");
        WakeBackground();
    }

    /// <summary>
    /// Puts a device in the place of a member that is missing. A device that had the place, and was away, is given what it has missed; any
    /// other is rebuilt. The set takes it over.
    /// </summary>
    /// <exception cref="RaidRefusedException">It is in use, does not fit, or the place is not free.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask AddAsync(int place, IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)places.Length, nameof(place));
        if (set.Members[place].IsPresent)
            throw new RaidRefusedException(Name, RaidRefusal.WrongState, $"member {place}, {places[place].Device!.Name}, is there");
        if (await TryTakeBackAsync(place, device).ConfigureAwait(false)) return;
        var spare = await PrepareSpareAsync(device).ConfigureAwait(false);
        await PlaceAsync(place, spare, isByRegions: false).ConfigureAwait(false);
        WakeBackground();
    }

    /// <summary>A member is not used any more. Its device is closed with the set.</summary>
    /// <exception cref="RaidRefusedException">The set cannot do without it.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RemoveAsync(int place)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)places.Length, nameof(place));
        var member = set.Members[place];
        if (!member.IsPresent) return;
        if (!await TryFailAsync(place, "removed").ConfigureAwait(false))
        {
            throw new RaidRefusedException(
                Name, RaidRefusal.WrongState, $"the set cannot do without member {place}, {member.Device!.Name}");
        }

        Report(RaidEventKind.DeviceRemoved, $"{member.Device!.Name}, member {place}, was removed", place);
    }

    /// <summary>
    /// Somebody who knows of a device what the set does not says that it is not to be used any more, a member or one that is to replace
    /// one.
    /// </summary>
    /// <param name="place">The place of the member.</param>
    /// <param name="reason">Why.</param>
    /// <returns>False where the set cannot do without it, and goes on using it.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> TryFailAsync(int place, string reason)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)places.Length, nameof(place));
        var member = set.Members[place];
        if (!member.IsPresent) return true;
        var lost = set.Members.Where(other => !other.IsUsable).Select(other => other.Number).Append(place).ToHashSet();
        if (!layout.Survives(lost)) return false;
        await set.FailAsync(member, new DeviceIOException(member.Device!.Name, reason, isTransient: false)).ConfigureAwait(false);
        return true;
    }

    /// <summary>The same of the device that is to replace a member; nothing happens where there is none.</summary>
    public void FailReplacement(int place, string reason)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)places.Length, nameof(place));
        if (set.Members[place].Twin is not { } twin) return;
        twin.GiveUp(new DeviceIOException(twin.Device.Name, reason, isTransient: false));
        WakeBackground(); // It may wait for stripes that cannot be copied.
    }

    /// <summary>A spare does not wait any more.</summary>
    /// <returns>The device, which the caller closes; null where no spare has that id, or it is not one any more.</returns>
    public IBlockDevice? TakeSpare(Guid id)
    {
        Place? spare;
        lock (spares)
        {
            spare = spares.Find(each => each.Id == id);
            if (spare is null || spare == steppingIn) return null;
            spares.Remove(spare);
        }

        Report(RaidEventKind.DeviceRemoved, $"the spare {spare.Device!.Name} was removed");
        return spare.Device;
    }

    /// <summary>
    /// Hands out a device that the set does not use any more: of a member that has failed, was removed or replaced, or that was not taken
    /// for one. Ends when nothing of the set is under way on it. The caller closes it then.
    /// </summary>
    /// <returns>False where the set uses the device, or does not have it: it stays as it is.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> ReleaseAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        Place? released;
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            lock (retired)
            {
                if (ignored.Remove(device)) return true;
                released = retired.Find(each => ReferenceEquals(each.Device, device));
                if (released is not null) retired.Remove(released);
            }

            if (released is null)
            {
                var number = Array.FindIndex(places, place => ReferenceEquals(place.Device, device));
                // That it has missed something is known to all others first, as it is before any request is acknowledged.
                if (number < 0 || set.Members[number].IsPresent || current.Entries[number].State != MemberState.Missing) return false;
                released = places[number];
                places[number] = new Place(released.Id, null, null);
            }
        }
        finally
        {
            turn.Exit();
        }

        // Without the lock: one that answers nothing must not hold up the others.
        await released.Use.EndAsync().ConfigureAwait(false);
        return true;
    }

    // Returned members: what they missed is known.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask TakeBackAsync(Dictionary<int, (IBlockDevice Device, SuperblockPair Pair)> returned)
    {
        foreach (var (place, (device, pair)) in returned)
        {
            try
            {
                await PlaceAsync(place, new Place(places[place].Id, device, pair), isByRegions: true).ConfigureAwait(false);
            }
            catch (BlockDeviceException e) when (!set.IsLost)
            {
                Retire(place, device);
                Report(RaidEventKind.RebuildFailed, $"{device.Name} could not be taken back: {e.Message}", place, e);
            }
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryTakeBackAsync(int place, IBlockDevice device)
    {
        var pair = new SuperblockPair(device);
        MemberSuperblock says;
        try
        {
            says = await pair.ReadAsync().ConfigureAwait(false);
        }
        catch (AshlarException e) when (e is BlockDeviceException or CorruptDataException or UnsupportedFormatException)
        {
            return false;
        }

        var entry = current.Entries[place];
        if (says.SetId != current.SetId || says.MemberId != entry.Id || says.Place != place || current.MissedSince == 0) return false;
        if (says.Areas != current.Areas || says.Entries[place].State != MemberState.InSync) return false;
        if (ArrayAssembly.SettledAt(says.Generation) > entry.LeftAt)
        {
            throw new RaidRefusedException(
                Name,
                RaidRefusal.SplitBrain,
                $"{device.Name} was started without the others after generation {entry.LeftAt}: it holds what they lack");
        }

        if (says.Generation < entry.LeftAt - 1 || entry.LeftAt < current.MissedSince) return false;
        await PlaceAsync(place, new Place(entry.Id, device, pair), isByRegions: true).ConfigureAwait(false);
        WakeBackground();
        return true;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<Place> PrepareSpareAsync(IBlockDevice device, Guid? replaces = null)
    {
        RequireFit(device);
        if (IsInUse(device))
            throw new RaidRefusedException(Name, RaidRefusal.SameDevice, $"{device.Name} belongs to the set already");
        if (!await IsOfThisSetAsync(device).ConfigureAwait(false)) await CheckUnusedAsync(options, device).ConfigureAwait(false);
        await PrepareAsync(device, current.Areas, current.SetId, isZeroed: true, options.KeepsSpace).ConfigureAwait(false);
        var spare = new Place(options.Entropy.NextGuid(), device, new SuperblockPair(device)) { Replaces = replaces };
        await spare.Pair!.WriteAsync(SaysOf(spare)).ConfigureAwait(false);
        return spare;
    }

    MemberSuperblock SaysOf(Place spare) =>
        current with { MemberId = spare.Id, Place = MemberSuperblock.SparePlace, Replaces = spare.Replaces };

    // Of a member that has failed another device may have the name: it is in the same slot.
    bool IsInUse(IBlockDevice device)
    {
        for (var number = 0; number < places.Length; number++)
            if (set.Members[number].IsPresent && IsSame(places[number].Device)) return true;
        lock (replacements) if (replacements.Exists(each => IsSame(each.Device.Device))) return true;
        lock (spares) return spares.Exists(spare => IsSame(spare.Device));

        bool IsSame(IBlockDevice? other) => other is not null && (ReferenceEquals(other, device) || other.Name == device.Name);
    }

    // What a member had that is not one any more is no loss.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> IsOfThisSetAsync(IBlockDevice device)
    {
        try
        {
            return (await new SuperblockPair(device).ReadAsync().ConfigureAwait(false)).SetId == current.SetId;
        }
        catch (AshlarException e) when (e is CorruptDataException or UnsupportedFormatException)
        {
            return false;
        }
    }

    void RequireFit(IBlockDevice device)
    {
        var least = current.Areas.DataAt + current.Areas.DataBytes;
        if (device.Geometry.BlockSizeBytes != current.BlockSizeBytes || device.Geometry.SizeBytes < least)
        {
            throw new RaidRefusedException(
                Name,
                RaidRefusal.Unfit,
                $"{device.Name} has {device.Geometry.SizeBytes} bytes in blocks of {device.Geometry.BlockSizeBytes}; "
                + $"the set needs {least} in blocks of {current.BlockSizeBytes}");
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PlaceSparesAsync()
    {
        if (set.IsLost || layout is { Copies: 1, ParityPerStripe: 0 }) return;
        foreach (var member in set.Members)
        {
            while (!member.IsPresent && ReferenceEquals(set.Members[member.Number], member))
            {
                Place? spare;
                lock (spares) steppingIn = spare = spares.FirstOrDefault();
                if (spare is null) return;
                try
                {
                    await PlaceAsync(member.Number, spare, isByRegions: false).ConfigureAwait(false);
                }
                catch (RaidRefusedException)
                {
                    lock (spares) steppingIn = null; // Somebody else has put a device there meanwhile.
                    return;
                }
                catch (BlockDeviceException e) when (!set.IsLost)
                {
                    lock (spares)
                    {
                        spares.Remove(spare);
                        steppingIn = null;
                    }

                    Retire(member.Number, spare.Device!);
                    Report(RaidEventKind.RebuildFailed, $"the spare {spare.Device!.Name} could not be used: {e.Message}", member.Number, e);
                }
            }
        }
    }

    // Unless it has a place, and is closed with that.
    void Retire(int number, IBlockDevice device)
    {
        if (ReferenceEquals(places[number].Device, device)) return;
        lock (retired) retired.Add(new Place(default, device, null));
    }

    // Crash order: the maps are on the device before it says that it has the place, and the others say so in the same generation.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PlaceAsync(int number, Place device, bool isByRegions)
    {
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            if (set.Members[number].IsPresent) throw new RaidRefusedException(Name, RaidRefusal.WrongState, $"member {number} is there");
            if (places[number] is { Device: { } old } before && !ReferenceEquals(old, device.Device)) lock (retired) retired.Add(before);
            places[number] = device;
            lock (spares) if (spares.Remove(device)) steppingIn = null;
            var entries = current.Entries.ToArray();
            var leftAt = isByRegions ? entries[number].LeftAt : 0;
            var entry = new MemberEntry(device.Id, MemberState.Rebuilding, leftAt, IsByRegions: isByRegions);
            entries[number] = entry;
            set.Replace(NewMember(number, device, entry));
            intent!.TakeAllForStale();
            await WriteRegionsLockedAsync().ConfigureAwait(false);
            await TransitionLockedAsync((_, now) => now with { Entries = entries }).ConfigureAwait(false);
            if (!set.Members[number].IsPresent)
                throw new DeviceIOException(Name, $"{device.Device!.Name}: {set.Members[number].Failure!.Message}", isTransient: false);
        }
        finally
        {
            turn.Exit();
        }

        var how = isByRegions ? "is given what it has missed" : "is rebuilt";
        Report(RaidEventKind.RebuildStarted, $"{device.Device!.Name} {how} as member {number}", number);
    }
}
