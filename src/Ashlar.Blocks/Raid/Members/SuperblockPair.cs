using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>The two copies of a member's superblock.</summary>
/// <remarks>
/// Crash order: the older copy is written, and the device flushed before the other one's turn comes. A power cut finds at least one
/// whole copy: the one before, or the new one.
/// </remarks>
sealed class SuperblockPair(IBlockDevice device)
{
    readonly byte[] buffer = new byte[MemberSuperblock.SizeBytes];
    int nextCopy;
    long sequence;

    /// <summary>Reads both copies; gives the newer one that is sound.</summary>
    /// <exception cref="UnsupportedFormatException">Not a member, or of a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">Both copies are damaged.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<MemberSuperblock> ReadAsync()
    {
        // A copy that is only in a cache of the system, of a flush that failed, is none: the next write would be over the only whole one.
        if (device is ICachingDevice cached && device.Geometry.SizeBytes >= MemberAreas.RegionMapAt(0))
            cached.DropCached(Lba.Zero, MemberAreas.RegionMapAt(0) / device.Geometry.BlockSizeBytes);
        MemberSuperblock? newest = null;
        AshlarException? problem = null;
        for (var copy = 0; copy < MemberAreas.SuperblockCopies; copy++)
        {
            try
            {
                await device.ReadAsync(LbaOf(copy), buffer).ConfigureAwait(false);
                var found = MemberSuperblock.Read(buffer, device.Name, MemberAreas.SuperblockAt(copy));
                if (newest is not null && newest.Sequence >= found.Sequence) continue;
                (newest, nextCopy) = (found, 1 - copy);
            }
            catch (UnsupportedFormatException) when (MemberSuperblock.HasMagic(buffer))
            {
                throw; // Sound, but of a later version: nothing that may be written over.
            }
            catch (AshlarException e) when (e is BlockDeviceException or CorruptDataException or UnsupportedFormatException)
            {
                problem = problem is null or UnsupportedFormatException ? e : problem;
            }
        }

        if (newest is null) throw problem!;
        sequence = newest.Sequence;
        return newest;
    }

    /// <summary>Writes the next copy, durably.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteAsync(MemberSuperblock superblock)
    {
        (superblock with { Sequence = ++sequence }).Write(buffer);
        await device.WriteAsync(LbaOf(nextCopy), buffer).ConfigureAwait(false);
        await device.FlushAsync().ConfigureAwait(false);
        nextCopy = 1 - nextCopy;
    }

    /// <summary>Makes the device no member of anything.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask EraseAsync()
    {
        for (var copy = 0; copy < MemberAreas.SuperblockCopies; copy++)
            await device.WriteAsync(LbaOf(copy), new byte[MemberSuperblock.SizeBytes]).ConfigureAwait(false);
        await device.FlushAsync().ConfigureAwait(false);
    }

    Lba LbaOf(int copy) => new(MemberAreas.SuperblockAt(copy) / device.Geometry.BlockSizeBytes);
}
