using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    /// <summary>Fails unless a pool may have a name.</summary>
    /// <exception cref="VolumeNameException">The name is not valid.</exception>
    public static void CheckName(string name) => VolumeName.CheckPool(name);

    // Without making a device longer.
    long FindLargestCapacityBytes() => placed is null
        ? CapacityOf(Parts.Device.Geometry.SizeBytes)
        : (placed.FindLargestPoolChunks() - MapLayout.ReservedChunks) * MapLayout.ChunkBytes;

    /// <summary>What a device has to add so that a pool with its metadata on its devices holds so much more.</summary>
    public static long PlacedBytesToAdd(long capacityBytes)
    {
        var chunks = ChunksFor(capacityBytes) - MapLayout.ReservedChunks;
        return (chunks + MetadataSize.AddedChunksFor(chunks)) * MapLayout.ChunkBytes;
    }

    /// <summary>What a pool holds whose device has so many bytes.</summary>
    public static long CapacityOf(long deviceBytes) =>
        Math.Max(0, (deviceBytes / MapLayout.ChunkBytes) - MapLayout.ReservedChunks) * MapLayout.ChunkBytes;

    /// <summary>Says which pool a device holds, without its store; null where it holds none.</summary>
    /// <exception cref="UnsupportedFormatException">A pool of a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">A pool whose superblocks are damaged.</exception>
    /// <exception cref="BlockDeviceException">The device cannot be read.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<PoolIdentity?> IdentifyAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Geometry.SizeBytes <= MapLayout.ReservedChunks * MapLayout.ChunkBytes) return null;
        var (bytes, isPool) = (new byte[Superblock.SizeBytes], false);
        for (var copy = 0; copy < Superblock.CopyCount; copy++)
        {
            await device.ReadAsync(SuperblockCopies.LbaOf(device, copy), bytes);
            isPool |= Superblock.HasMagic(bytes);
        }

        if (!isPool) return null;
        var superblock = (await SuperblockCopies.ReadAsync(device)).Current;
        return new(superblock.PoolId, superblock.Name, superblock.CreatedAt)
        {
            IsPlaced = superblock.Placement is not null,
            Holder = superblock.Placement is { IsInUse: true } placement ? placement.Host : null,
        };
    }
}
