using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Pools with their metadata on the device: nothing lies beside it.
public sealed partial class StoragePool
{
    PlacedPool? placed;

    /// <summary>Length of the device that a pool with its metadata on it needs to hold so much.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No pool is that small, or that large.</exception>
    public static long PlacedDeviceBytesFor(long capacityBytes) =>
        PlacedPool.DeviceChunksFor(ChunksFor(capacityBytes) - MapLayout.ReservedChunks) * MapLayout.ChunkBytes;

    /// <summary>
    /// Writes a new, empty pool with its metadata on the device, which must be blank where the superblocks go. An interrupted formatting
    /// may be repeated.
    /// </summary>
    /// <exception cref="VolumeNameException">The pool's name is not valid.</exception>
    /// <exception cref="UnsupportedFormatException">The device is in use.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The device is too small.</exception>
    /// <exception cref="DeviceFullException">The pool would be so large that memory does not hold the table of its chunks.</exception>
    public static async ValueTask FormatAsync(string name, IBlockDevice device, PoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        VolumeName.CheckPool(name);
        await RequireUnusedAsync(device, options);
        var placement = PlacedPool.Divide(device, options);

        // Crash order: the superblocks, which say that there is a pool, come after the file system and the store, which says whether it is
        // ready. Those of an attempt that was interrupted go first.
        var blank = new byte[Superblock.SizeBytes];
        for (var copy = 0; copy < Superblock.CopyCount; copy++) await device.WriteAsync(SuperblockCopies.LbaOf(device, copy), blank);
        await device.FlushAsync();
        var (files, store) = await PlacedPool.CreateAsync(device, placement, options);
        using (files)
        {
            using (store) await FormatAsync(name, new PlacedDevice(device, placement), store, options, placement);
        }

        await device.FlushAsync();
    }

    /// <summary>
    /// Opens a pool with its metadata on the device, and recovers it if it was not closed. The pool takes over the device and closes it; if
    /// opening fails it stays the caller's.
    /// </summary>
    /// <exception cref="PoolInUseException">It is marked as in use by another machine.</exception>
    /// <exception cref="UnsupportedFormatException">Not a pool, another version, or a pool with its metadata elsewhere.</exception>
    /// <exception cref="CorruptDataException">Superblock, file system, store, catalogue or free space are damaged.</exception>
    /// <exception cref="DeviceFullException">The pool is so large that memory does not hold the table of its chunks.</exception>
    public static ValueTask<StoragePool> OpenAsync(IBlockDevice device, PoolOptions options) => ImportAsync(device, options);

    /// <summary>As <see cref="OpenAsync(IBlockDevice, PoolOptions)"/>, for a pool that comes from another machine.</summary>
    /// <param name="device">Its device.</param>
    /// <param name="options">How it works.</param>
    /// <param name="newName">What it is called from now on; null leaves it as it is.</param>
    /// <param name="isForced">Whether it is taken although another machine has it: one that still writes to it destroys it.</param>
    public static async ValueTask<StoragePool> ImportAsync(
        IBlockDevice device, PoolOptions options, string? newName = null, bool isForced = false)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        if (newName is not null) VolumeName.CheckPool(newName);
        var superblocks = await SuperblockCopies.ReadAsync(device, options.TimeProvider);
        var found = superblocks.Current;
        if (found.Placement is not { } placement)
            throw new UnsupportedFormatException(device.Name, $"pool {found.Name} has its metadata in a directory, not on the device");
        if (placement.IsInUse && placement.Host.Id != options.Host.Id && !isForced)
            throw new PoolInUseException(found.Name, device.Name, placement.Host, placement.SeenAt);
        if (placement.DeviceChunks > device.Geometry.SizeBytes / MapLayout.ChunkBytes)
            throw new CorruptDataException(
                device.Name,
                device.Geometry.SizeBytes,
                $"cut off: pool {found.Name} needs {placement.DeviceChunks * MapLayout.ChunkBytes} bytes, its device has "
                + $"{device.Geometry.SizeBytes}");

        // Before anything else is changed: from here on another machine keeps away.
        await superblocks.ChangeAsync(current => current with
        {
            Name = newName ?? current.Name,
            Placement = current.Placement! with { IsInUse = true, Host = options.Host },
        });
        PlacedPool? placed = null;
        try
        {
            placed = await PlacedPool.OpenAsync(device, superblocks, options);
            var pool = await OpenAsync(placed.Data, placed.Store, options, superblocks);
            pool.placed = placed;
            return pool;
        }
        catch
        {
            placed?.CloseKeepingDevice();
            if (!placement.IsInUse) await LetGoAsync(superblocks, found);
            throw;
        }
    }

    /// <summary>
    /// Closes the pool in order, so that another machine can take it: as <see cref="DisposeAsync"/>, but with an error if it could not be
    /// closed, or was not marked as free.
    /// </summary>
    /// <exception cref="DeviceIOException">It was closed as a crash would leave it; it is still marked as in use by this
    /// machine.</exception>
    /// <exception cref="NotSupportedException">Its metadata lie in a directory; it cannot leave that.</exception>
    public async ValueTask ExportAsync()
    {
        ThrowIfClosed();
        if (placed is null) throw new NotSupportedException($"The metadata of pool {Name} lie in a directory.");
        await DisposeAsync();
        if (placed.Superblocks.Current.Placement!.IsInUse)
            throw new DeviceIOException(
                Parts.Device.Name, $"pool {Name} could not be closed in order: {Failure.First?.Message ?? "its last commit failed"}",
                isTransient: false);
    }

    /// <summary>Where data and metadata lie on the device now; null where metadata lie elsewhere.</summary>
    internal PoolPlacement? FindPlacement() => placed?.Superblocks.Current.Placement;

    // What could not be opened is left to whoever can.
    static async ValueTask LetGoAsync(SuperblockCopies superblocks, Superblock found)
    {
        try
        {
            await superblocks.ChangeAsync(current => current with
            {
                Name = found.Name,
                Placement = current.Placement! with { IsInUse = false, Host = found.Placement!.Host },
            });
        }
        catch (BlockDeviceException)
        {
            // It stays marked. Why it could not be opened says more.
        }
    }

    static async ValueTask RequireUnusedAsync(IBlockDevice device, PoolOptions options)
    {
        var bytes = new byte[Superblock.SizeBytes];
        for (var copy = 0; copy < Superblock.CopyCount; copy++)
        {
            await device.ReadAsync(SuperblockCopies.LbaOf(device, copy), bytes);
            if (!bytes.AsSpan().ContainsAnyExcept((byte)0)) continue;
            if (IsInterrupted(bytes, Superblock.CopyOffsetBytes(copy))) continue;
            throw new UnsupportedFormatException(device.Name, "the device holds a pool already");
        }

        bool IsInterrupted(byte[] superblock, long offset)
        {
            try
            {
                if (Superblock.Read(superblock, device.Name, offset).Placement is not { IsInUse: false }) return false;
            }
            catch (AshlarException)
            {
                // It may be torn: the store, which was there before, tells.
            }

            try
            {
                return PlacedPool.HasPoolInTheMaking(device, PlacedPool.Divide(device, options), options);
            }
            catch (AshlarException)
            {
                return false; // Of somebody else: not ours to write over.
            }
        }
    }

    // The store, the file system that it lies on, the mark, the device: only what is complete is given away.
    async ValueTask CloseStoreAsync(bool isInOrder)
    {
        try
        {
            await Store.DisposeAsync();
            if (placed is null) return;
            placed.CloseFiles();
            if (isInOrder) await placed.ReleaseAsync();
        }
        finally
        {
            if (placed is not null) await placed.DisposeAsync();
        }
    }
}
