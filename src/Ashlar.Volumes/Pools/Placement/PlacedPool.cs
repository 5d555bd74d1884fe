using Ashlar.Blocks;
using Ashlar.Blocks.FileSystem;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What an open pool with its metadata on the device stands on: the device, the file system on it, and the store in
/// that.</summary>
/// <remarks>
/// Crash order of growing, before the pool's own (<see cref="PoolGrower"/>): 1. the device is longer, durably; 2. both superblocks say
/// where the new pieces are, durably; 3. the file system gets its piece. A crash after 2 leaves a piece that the next opening gives to
/// the file system, and chunks of data that the pool does not count yet.
/// </remarks>
sealed class PlacedPool : IAsyncDisposable
{
    const string StorePath = "/map";
    const long MinMemTableBytes = 1 << 20;
    const int ShareOfRegion = 16;

    readonly IBlockDevice device;
    readonly BlockFileSystem files;
    readonly SuperblockCopies superblocks;

    PlacedPool(IBlockDevice device, BlockFileSystem files, SuperblockCopies superblocks, KeyValueStore store)
    {
        (this.device, this.files, this.superblocks, Store) = (device, files, superblocks, store);
        Data = new PlacedDevice(device, superblocks.Current.Placement!) { Lengthen = LengthenAsync };
    }

    /// <summary>What the pool puts its data on.</summary>
    public PlacedDevice Data { get; }

    public KeyValueStore Store { get; }

    public SuperblockCopies Superblocks => superblocks;

    /// <summary>How a device of so many bytes is divided.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is too small.</exception>
    public static PoolPlacement Divide(IBlockDevice device, PoolOptions options)
    {
        var chunks = (device.Geometry.SizeBytes / MapLayout.ChunkBytes) - MapLayout.ReservedChunks;
        var metadata = options.MetadataChunks ?? LargestMetadata(chunks);
        if (metadata < 1 || chunks - metadata < 1)
            throw new ArgumentOutOfRangeException(
                nameof(device), device.Geometry.SizeBytes, "The device is too small for a pool with its metadata on it.");
        return new PoolPlacement(0, false, options.Host, options.TimeProvider.GetUtcNow(), [new(metadata, chunks - metadata)]);
    }

    /// <summary>Chunks of the device for a pool of so many chunks of data.</summary>
    public static long DeviceChunksFor(long dataChunks) => MapLayout.ReservedChunks + dataChunks + MetadataSize.ChunksFor(dataChunks);

    /// <summary>Makes file system and store anew, in what a placement gives them.</summary>
    public static async ValueTask<(BlockFileSystem Files, KeyValueStore Store)> CreateAsync(
        IBlockDevice device, PoolPlacement placement, PoolOptions options)
    {
        var region = MetadataExtents(placement);
        foreach (var extent in region) await ReserveAsync(device, extent);
        BlockFileSystem.Format(device, region, FileOptions(options));
        var files = BlockFileSystem.Open(device, region[0].OffsetBytes, FileOptions(options));
        try
        {
            return (files, KeyValueStore.Open(StorePath, StoreOptions(files, options, isNew: true)));
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Opens file system and store of a pool whose superblocks were read.</summary>
    public static async ValueTask<PlacedPool> OpenAsync(IBlockDevice device, SuperblockCopies superblocks, PoolOptions options)
    {
        var region = MetadataExtents(superblocks.Current.Placement!);
        var files = BlockFileSystem.Open(device, region[0].OffsetBytes, FileOptions(options));
        try
        {
            foreach (var extent in region.Where(extent => !files.Extents.Contains(extent)))
            {
                await ReserveAsync(device, extent);
                files.Grow(extent); // A crash came before it.
            }

            return new PlacedPool(device, files, superblocks, KeyValueStore.Open(StorePath, StoreOptions(files, options, isNew: false)));
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Opens file system and store of a pool that nobody has, for reading only. The store is the caller's to close.</summary>
    public static (BlockFileSystem Files, KeyValueStore Store) OpenToRead(
        IBlockDevice device, PoolPlacement placement, PoolOptions options)
    {
        var files = BlockFileSystem.Open(device, MetadataExtents(placement)[0].OffsetBytes, FileOptions(options));
        try
        {
            return (files, KeyValueStore.Open(StorePath, StoreOptions(files, options, isNew: false) with { ReadOnly = true }));
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file system of a placement has the store of a pool whose formatting was interrupted.</summary>
    public static bool HasPoolInTheMaking(IBlockDevice device, PoolPlacement placement, PoolOptions options)
    {
        using var files = BlockFileSystem.Open(device, MetadataExtents(placement)[0].OffsetBytes, FileOptions(options));
        if (!files.DirectoryExists(StorePath)) return false;
        using var store = KeyValueStore.Open(StorePath, StoreOptions(files, options, isNew: false) with { ReadOnly = true });
        return store.Get(MapKeys.Pool) is { } record && PoolRecord.Read(record, device.Name).State == PoolState.Formatting;
    }

    /// <summary>Chunks of the pool, when it has all of the device, metadata of the rest taken off.</summary>
    public long FindLargestPoolChunks()
    {
        var placement = superblocks.Current.Placement!;
        var left = (device.Geometry.SizeBytes / MapLayout.ChunkBytes) - placement.DeviceChunks;
        var data = left - MetadataSize.AddedChunksFor(Math.Max(0, left));
        while (data > 0 && data + 1 + MetadataSize.AddedChunksFor(data + 1) <= left) data++;
        return placement.PoolChunks + Math.Max(0, data);
    }

    /// <summary>Says that nobody has the pool any more: the last thing that is written. Store and file system are closed by then.</summary>
    public async ValueTask ReleaseAsync() =>
        await superblocks.ChangeAsync(static current => current with { Placement = current.Placement! with { IsInUse = false } });

    /// <summary>Closes what has been left open; the device, too.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            files.Dispose();
        }
        finally
        {
            await device.DisposeAsync();
        }
    }

    /// <summary>Closes store and file system and leaves the device to its owner.</summary>
    public void CloseKeepingDevice()
    {
        try
        {
            Store.Dispose();
        }
        finally
        {
            files.Dispose();
        }
    }

    /// <summary>Makes everything of the file system durable and closes it.</summary>
    public void CloseFiles() => files.Dispose();

    async ValueTask LengthenAsync(long poolChunks)
    {
        var placement = superblocks.Current.Placement!;
        var added = poolChunks - placement.PoolChunks;
        if (added > 0)
        {
            if (placement.Segments.Count == PoolPlacement.MaxSegments)
                throw new DeviceFullException(device.Name, $"a pool grows {PoolPlacement.MaxSegments - 1} times at most");
            var segment = new PoolSegment(MetadataSize.AddedChunksFor(added), added);
            placement = placement with { Segments = [.. placement.Segments, segment] };
            if (placement.DeviceChunks > device.Geometry.SizeBytes / MapLayout.ChunkBytes)
            {
                if (device is not IGrowableDevice growable) throw new NotSupportedException($"{device.Name} cannot grow.");
                await growable.GrowAsync(placement.DeviceChunks * MapLayout.ChunkBytes / device.Geometry.BlockSizeBytes);
            }

            var extent = MetadataExtents(placement)[^1];
            await ReserveAsync(device, extent);
            var segments = placement.Segments;
            await superblocks.ChangeAsync(current => current with { Placement = current.Placement! with { Segments = segments } });
        }

        foreach (var extent in MetadataExtents(superblocks.Current.Placement!))
        {
            if (files.Extents.Contains(extent)) continue;
            await WorkerThreads.Blocking.RunAsync(static work => work.Files.Grow(work.Extent), (Files: files, Extent: extent));
        }


        Data.Move(superblocks.Current.Placement!);
    }

    // Metadata cannot wait for somebody to make room: a log that does not get its space ends the pool.
    static async ValueTask ReserveAsync(IBlockDevice device, RegionExtent extent)
    {
        if (device is not IReservableDevice reservable) return;
        var block = device.Geometry.BlockSizeBytes;
        try
        {
            await reservable.ReserveAsync(new Lba(extent.OffsetBytes / block), extent.LengthBytes / block);
        }
        catch (NotSupportedException)
        {
            // Where no space can be had beforehand it is had as it is written.
        }
    }

    static List<RegionExtent> MetadataExtents(PoolPlacement placement)
    {
        var extents = new List<RegionExtent>();
        var chunk = (long)MapLayout.ReservedChunks;
        foreach (var (metadata, data) in placement.Segments)
        {
            if (metadata > 0) extents.Add(new(chunk * MapLayout.ChunkBytes, metadata * MapLayout.ChunkBytes));
            chunk += metadata + data;
        }

        return extents;
    }

    static long LargestMetadata(long chunks)
    {
        // What is for metadata depends on what is left for data: the device says only what both take.
        var data = chunks - MetadataSize.ChunksFor(chunks);
        while (data > 0 && data + MetadataSize.ChunksFor(data) < chunks) data++;
        return chunks - data;
    }

    static BlockFileSystemOptions FileOptions(PoolOptions options) => new() { Entropy = options.Entropy };

    // A store is made for a disk of any size: here it must know how small it is.
    static KeyValueOptions StoreOptions(BlockFileSystem files, PoolOptions options, bool isNew)
    {
        var share = Math.Max(MinMemTableBytes, files.Extents.Sum(extent => extent.LengthBytes) / ShareOfRegion);
        var wanted = options.StoreOptions;
        return wanted with
        {
            FileSystem = files,
            TimeProvider = options.TimeProvider,
            Entropy = options.Entropy,
            CreateIfMissing = isNew,
            MemTableBytes = Math.Min(wanted.MemTableBytes, share),
            LogSegmentBytes = Math.Min(wanted.LogSegmentBytes, share),
            TableBytes = Math.Min(wanted.TableBytes, share),
        };
    }
}
