using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    /// <summary>
    /// Compares the map of a pool that nobody has open with its free space and usage, as <see cref="VerifyAsync"/> does, and changes
    /// nothing. Device and store may be open for reading only, and stay the caller's.
    /// </summary>
    /// <exception cref="UnsupportedFormatException">Not a pool, another version, or a store of another pool.</exception>
    /// <exception cref="CorruptDataException">Superblock, catalogue or free space are damaged so that nothing can be compared.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<PoolVerification> VerifyOfflineAsync(
        IBlockDevice device, KeyValueStore metadata, PoolOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(options);
        CheckDeviceLength(metadata, device.Name, device.Geometry.SizeBytes);
        return await VerifyOfflineAsync(device, await SuperblockCopies.ReadAsync(device), metadata, options, cancellationToken);
    }

    /// <summary>The same of a pool with its metadata on the device.</summary>
    /// <exception cref="UnsupportedFormatException">Not such a pool, or another version.</exception>
    /// <exception cref="CorruptDataException">Superblock, file system, store, catalogue or free space are damaged so that nothing can be
    /// compared.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<PoolVerification> VerifyOfflineAsync(
        IBlockDevice device, PoolOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        var superblocks = await SuperblockCopies.ReadAsync(device);
        if (superblocks.Current.Placement is not { } placement)
        {
            throw new UnsupportedFormatException(
                device.Name, $"pool {superblocks.Current.Name} has its metadata in a directory, not on the device");
        }

        var (files, store) = PlacedPool.OpenToRead(device, placement, options);
        using (files)
        {
            using (store)
                return await VerifyOfflineAsync(new PlacedDevice(device, placement), superblocks, store, options, cancellationToken);
        }
    }

    static ValueTask<PoolVerification> VerifyOfflineAsync(
        IBlockDevice device,
        SuperblockCopies superblocks,
        KeyValueStore metadata,
        PoolOptions options,
        CancellationToken cancellationToken)
    {
        var superblock = superblocks.Current;
        var name = options.Name ?? superblock.Name;
        if (metadata.Get(MapKeys.Pool) is not { } value)
            throw new UnsupportedFormatException(device.Name, $"pool {name}: its store holds no pool");
        if (PoolRecord.Read(value, name).PoolId is var id && id != superblock.PoolId)
        {
            throw new UnsupportedFormatException(
                device.Name, $"the device is of pool {superblock.PoolId}, the store of pool {id}");
        }
        superblocks.CheckNotOlder(metadata.VisibleSequence);
        var chunks = Math.Max(superblock.ChunkCount, RememberedChunks(metadata) ?? 0);
        var space = LoadSpace(metadata, name, chunks, device, options);
        using var snapshot = metadata.CreateSnapshot();
        var walk = MapWalk.Run(snapshot, space, name, cancellationToken);
        walk.Compare(snapshot);
        return new(new PoolVerification(walk.Leaves, walk.Chunks, BlocksRead: 0, walk.Problems));
    }
}
