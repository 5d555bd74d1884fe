using System.Runtime.CompilerServices;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

public sealed partial class RaidArray
{
    /// <summary>The most members of a set.</summary>
    public const int MostMembers = RaidLayout.MaxMembers;

    /// <summary>Whether a level can be had of so many devices.</summary>
    public static bool IsPossible(RaidLevel level, int memberCount) => RaidLayout.IsPossible(level, memberCount);

    /// <summary>The least devices that a level takes.</summary>
    public static int LeastMembers(RaidLevel level) => RaidLayout.LeastMembers(level);

    /// <summary>What lies on one member before the next one's turn comes: whether it may be so much.</summary>
    public static bool IsPossibleChunk(long chunkBytes) => RaidSet.IsPossibleChunk(chunkBytes);

    /// <summary>How many devices' worth of data a set holds.</summary>
    public static int DataMembers(RaidLevel level, int memberCount) => new RaidLayout(level, memberCount).DataPerStripe;

    /// <summary>What the set uses of each device: one that is to become a member has as much at least.</summary>
    public long MemberBytes => current.Areas.DataAt + current.Areas.DataBytes;

    /// <summary>Length of each device of a set that is to hold so much.</summary>
    public static long DeviceBytesFor(RaidLevel level, int memberCount, int chunkBytes, long usableBytes)
    {
        var layout = new RaidLayout(level, memberCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(usableBytes, 1);
        var perStripe = (long)layout.DataPerStripe * chunkBytes;
        return MemberAreas.DeviceBytesFor(layout, chunkBytes, (((usableBytes - 1) / perStripe) + 1) * chunkBytes);
    }

    /// <summary>
    /// Whether the making of a set was interrupted before a device said that it belongs to it: nothing is on its front but what that has
    /// written there.
    /// </summary>
    /// <exception cref="BlockDeviceException">The device cannot be read.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<bool> IsUnfinishedAsync(IBlockDevice device, Guid setId)
    {
        ArgumentNullException.ThrowIfNull(device);
        var bytes = new byte[Math.Min(DeviceSignatures.EdgeBytes, device.Geometry.SizeBytes)];
        await device.ReadAsync(Lba.Zero, bytes).ConfigureAwait(false);
        if (bytes.Length < MemberAreas.RegionMapAt(2)) return false;
        var map = new RegionMap(setId, 1);
        for (var number = 0; number < 2; number++)
        {
            var place = bytes.AsSpan((int)MemberAreas.RegionMapAt(number), MemberAreas.RegionMapBytes);
            if (!map.IsBlankOrOwn(place)) return false;
            place.Clear();
        }

        return !bytes.AsSpan().ContainsAnyExcept((byte)0);
    }

    /// <summary>Says which set a device belongs to, without the others; null where it says that it belongs to none.</summary>
    /// <exception cref="UnsupportedFormatException">A member of a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">A member whose superblocks are damaged.</exception>
    /// <exception cref="BlockDeviceException">The device cannot be read.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<RaidMembership?> IdentifyAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Geometry.SizeBytes < MemberAreas.RegionMapAt(0)) return null;
        var (bytes, isMember) = (new byte[MemberSuperblock.SizeBytes], false);
        for (var copy = 0; copy < MemberAreas.SuperblockCopies; copy++)
        {
            await device.ReadAsync(new Lba(MemberAreas.SuperblockAt(copy) / device.Geometry.BlockSizeBytes), bytes).ConfigureAwait(false);
            isMember |= MemberSuperblock.HasMagic(bytes);
        }

        if (!isMember) return null;
        var says = await new SuperblockPair(device).ReadAsync().ConfigureAwait(false);
        var holder = says.IsDirty ? says.Host : null;
        return new RaidMembership(says.SetId, says.MemberId, says.Level, says.Entries.Count, says.IsSpare, holder)
        {
            Replaces = says.Replaces,
        };
    }
}
