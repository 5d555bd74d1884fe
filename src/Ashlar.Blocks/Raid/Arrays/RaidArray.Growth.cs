using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <remarks>
/// A set grows when all of its devices are long enough, as they are when each was replaced by a larger one; files are lengthened. Crash
/// order: what is added is zeroed on all members, durably, so that copies and parity are right; then all are told of it, as of any
/// change. A crash before that leaves devices that are longer than what the set uses of them. From the first proposal on the set is as
/// large as it says: those that have not heard of it hold the zeros, too.
/// </remarks>
public sealed partial class RaidArray : IGrowableDevice
{
    readonly AsyncLock growing = new();

    /// <summary>What the set would hold if it had all of its devices; as much as now while one of them is missing.</summary>
    public long LargestBytes
    {
        get
        {
            var smallest = long.MaxValue;
            for (var number = 0; number < places.Length; number++)
            {
                if (!set.Members[number].IsPresent) return Geometry.SizeBytes;
                smallest = Math.Min(smallest, places[number].Device!.Geometry.SizeBytes);
            }

            var now = Volatile.Read(ref current);
            var stripes = (smallest - now.Areas.DataAt) / now.ChunkBytes;
            return Math.Max(Geometry.SizeBytes, stripes * now.ChunkBytes * layout.DataPerStripe);
        }
    }

    /// <inheritdoc />
    /// <exception cref="RaidRefusedException">A member is missing, being rebuilt or replaced.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask GrowAsync(long blockCount, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _ = BlockGeometry.Create(current.BlockSizeBytes, blockCount);
        if (IsReadOnly) throw new DeviceReadOnlyException(Name);
        await growing.EnterAsync().ConfigureAwait(false);
        try
        {
            if (blockCount <= Geometry.BlockCount) return;
            var stripeBlocks = (long)current.ChunkBytes / current.BlockSizeBytes * layout.DataPerStripe;
            var stripes = ((blockCount - 1) / stripeBlocks) + 1;
            var areas = current.Areas with { DataBytes = checked(stripes * current.ChunkBytes) };
            if (!RegionMap.Covers(areas.DataBytes, current.RegionBytes))
            {
                throw new DeviceFullException(
                    Name, $"a map of regions of {current.RegionBytes} bytes does not reach over members of {areas.DataBytes} bytes");
            }

            var all = DevicesOfWholeSet();
            foreach (var place in all) await LengthenAsync(place.Device!, areas).ConfigureAwait(false);
            foreach (var place in all) await ZeroTailAsync(place, areas).ConfigureAwait(false);
            await TakeTailAsync(areas, all).ConfigureAwait(false);
        }
        finally
        {
            growing.Exit();
        }
    }

    // Members and spares. One that is missing could not be given zeros, and would come back without them.
    List<Place> DevicesOfWholeSet()
    {
        foreach (var member in set.Members)
        {
            if (member.IsUsable && member.Twin is null) continue;
            var state = member.Twin is not null ? "being replaced" : member.IsPresent ? "being rebuilt" : "missing";
            throw new RaidRefusedException(
                Name, RaidRefusal.WrongState, $"member {member.Number} is {state}: the set grows when all of its members are whole");
        }

        lock (spares) return [.. places, .. spares];
    }

    static async ValueTask LengthenAsync(IBlockDevice device, MemberAreas areas)
    {
        var least = areas.DataAt + areas.DataBytes;
        if (device.Geometry.SizeBytes >= least) return;
        try
        {
            if (device is not IGrowableDevice file) throw new NotSupportedException();
            await file.GrowAsync(least / device.Geometry.BlockSizeBytes).ConfigureAwait(false);
        }
        catch (NotSupportedException)
        {
            throw new DeviceFullException(
                device.Name, $"{device.Name} has {device.Geometry.SizeBytes} bytes, and the larger set would use {least} of it");
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ZeroTailAsync(Place place, MemberAreas areas)
    {
        var (device, end) = (place.Device!, current.Areas.DataAt + current.Areas.DataBytes);
        place.Use.Enter(device);
        try
        {
            await ZeroAsync(device, end, areas.DataBytes - current.Areas.DataBytes).ConfigureAwait(false);
            if (options.KeepsSpace) await ReserveAsync(device, areas.DataAt + areas.DataBytes).ConfigureAwait(false);
            await device.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            place.Use.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask TakeTailAsync(MemberAreas areas, List<Place> zeroed)
    {
        await turn.EnterAsync().ConfigureAwait(false);
        try
        {
            // Under the lock nobody comes or goes.
            if (!DevicesOfWholeSet().SequenceEqual(zeroed, ReferenceEqualityComparer.Instance))
                throw new RaidRefusedException(Name, RaidRefusal.WrongState, "devices came or went while the set was to grow: try again");
            intent?.Grow(RegionMap.CountOf(areas.DataBytes, current.RegionBytes));
            await TransitionLockedAsync((_, now) => now with { Areas = areas }).ConfigureAwait(false);
            set.Grow(areas.DataBytes);
        }
        finally
        {
            turn.Exit();
        }
    }
}
