using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    /// <summary>Largest volume: 1 PiB.</summary>
    public const long MaxVolumeBytes = 1L << 50;

    /// <summary>Largest pool: 1 PiB. Its free space alone takes some 4 GiB of memory.</summary>
    public const long MaxCapacityBytes = 1L << 50;

    /// <summary>Unit of what is verified, damaged or not verified: each has a checksum of its own.</summary>
    public const int BlockBytes = MapLayout.BlockBytes;

    /// <summary>Unit of space: a pool holds whole ones.</summary>
    public const int ChunkBytes = MapLayout.ChunkBytes;

    /// <summary>Unit of the map, and of the check after an unclean stop.</summary>
    public const long LeafBytes = MapLayout.LeafBytes;

    /// <summary>Length of the device that a pool needs to hold so much: whole chunks, and what the superblocks take.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No pool is that small, or that large.</exception>
    public static long DeviceBytesFor(long capacityBytes) => ChunksFor(capacityBytes) * MapLayout.ChunkBytes;

    /// <summary>Whether a store belongs to a pool that was formatted to the end; false also when formatting was interrupted.</summary>
    public static bool IsFormatted(KeyValueStore metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return metadata.Get(MapKeys.Pool) is { } value && PoolRecord.Read(value, "pool").State == PoolState.Ready;
    }

    /// <summary>
    /// Writes a new, empty pool. The device must be blank where the superblocks go, and the store must hold nothing; an
    /// interrupted formatting may be repeated.
    /// </summary>
    /// <exception cref="VolumeNameException">The pool's name is not valid.</exception>
    /// <exception cref="UnsupportedFormatException">The device or the store is in use.</exception>
    /// <exception cref="DeviceFullException">The pool would be so large that memory does not hold the table of its chunks.</exception>
    public static ValueTask FormatAsync(string name, IBlockDevice device, KeyValueStore metadata, PoolOptions options) =>
        FormatAsync(name, device, metadata, options, placement: null);

    static async ValueTask FormatAsync(
        string name, IBlockDevice device, KeyValueStore metadata, PoolOptions options, PoolPlacement? placement)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(options);
        VolumeName.CheckPool(name);
        var chunkCount = device.Geometry.SizeBytes / MapLayout.ChunkBytes;
        if (chunkCount <= MapLayout.ReservedChunks)
            throw new ArgumentOutOfRangeException(nameof(device), device.Geometry.SizeBytes, "The device is too small for a pool.");
        ChunkTables.RequireMemory(name, chunkCount, options.AvailableMemory());
        var interrupted = RequireEmpty(metadata, device.Name);
        var blank = new byte[Superblock.SizeBytes];
        for (var copy = 0; copy < Superblock.CopyCount; copy++)
        {
            await device.ReadAsync(SuperblockCopies.LbaOf(device, copy), blank);
            if (blank.AsSpan().ContainsAnyExcept((byte)0)
                && Superblock.Read(blank, device.Name, Superblock.CopyOffsetBytes(copy)).PoolId != interrupted?.PoolId)
                throw new UnsupportedFormatException(device.Name, "the device holds a pool already");
        }

        // Crash order: the store remembers the identity as not ready, the device gets it, the store calls it ready. In between
        // the pool does not open, and formatting may begin again because both sides can be recognised as its own.
        var record = new PoolRecord(
            interrupted?.PoolId ?? options.Entropy.NextGuid(),
            PoolState.Formatting,
            NextLineage: 1,
            NextGeneration: 2,
            options.Factory.ChecksumOfNewPools);
        metadata.Put(MapKeys.Pool, record.ToBytes());
        var superblock = new byte[Superblock.SizeBytes];
        new Superblock(record.PoolId, name, chunkCount, options.TimeProvider.GetUtcNow()) { Placement = placement }.Write(superblock);
        for (var copy = 0; copy < Superblock.CopyCount; copy++) await device.WriteAsync(SuperblockCopies.LbaOf(device, copy), superblock);
        await device.FlushAsync();
        var ready = new WriteBatch();
        ready.Put(MapKeys.Pool, (record with { State = PoolState.Ready }).ToBytes());
        var chunks = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(chunks, chunkCount);
        ready.Put(MapKeys.DeviceChunks, chunks);
        metadata.Write(ready);
    }

    /// <summary>Fails if a device is shorter than that of the store's pool, be it that its superblocks are gone with the rest.</summary>
    /// <exception cref="CorruptDataException">It is shorter.</exception>
    public static void CheckDeviceLength(KeyValueStore metadata, string device, long lengthBytes)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (metadata.Get(MapKeys.Pool) is null) return;
        // Earlier programs did not write it down; then the superblock tells, if there is one.
        var chunks = RememberedChunks(metadata) ?? MapLayout.ReservedChunks + 1;
        if (chunks > lengthBytes / MapLayout.ChunkBytes)
            throw new CorruptDataException(
                device,
                lengthBytes,
                $"cut off: the pool has {chunks} chunks of {MapLayout.ChunkBytes} bytes, its device {lengthBytes} bytes");
    }

    /// <summary>What the pool of a store holds, without opening it; null where an earlier program did not write it down.</summary>
    public static long? FindCapacityBytes(KeyValueStore metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return RememberedChunks(metadata) is { } chunks ? CapacityOf(metadata, chunks) : null;
    }

    /// <summary>
    /// Opens a pool and recovers it if it was not closed. The pool takes over device and store and closes them; if opening
    /// fails they stay the caller's.
    /// </summary>
    /// <exception cref="UnsupportedFormatException">Not a pool, another version, or a store of another pool.</exception>
    /// <exception cref="CorruptDataException">Superblock, catalogue or free space are damaged.</exception>
    /// <exception cref="DeviceFullException">The pool is so large that memory does not hold the table of its chunks.</exception>
    public static ValueTask<StoragePool> OpenAsync(IBlockDevice device, KeyValueStore metadata, PoolOptions options) =>
        OpenAsync(device, metadata, options, superblocks: null);

    static async ValueTask<StoragePool> OpenAsync(
        IBlockDevice device, KeyValueStore metadata, PoolOptions options, SuperblockCopies? superblocks)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(options);
        CheckDeviceLength(metadata, device.Name, device.Geometry.SizeBytes);
        superblocks ??= await SuperblockCopies.ReadAsync(device, options.TimeProvider);
        var superblock = superblocks.Current;
        if (superblock.Placement is not null && device is not PlacedDevice)
            throw new UnsupportedFormatException(device.Name, $"pool {superblock.Name} has its metadata on the device, not in a directory");
        if (metadata.Get(MapKeys.Pool) is not { } value)
            throw new UnsupportedFormatException(device.Name, $"pool {superblock.Name}: its store holds no pool");
        var record = PoolRecord.Read(value, superblock.Name);
        if (record.PoolId != superblock.PoolId)
            throw new UnsupportedFormatException(
                device.Name, $"the device is of pool {superblock.PoolId}, the store of pool {record.PoolId}");
        if (record.State != PoolState.Ready)
            throw new UnsupportedFormatException(device.Name, $"pool {superblock.Name}: formatting was interrupted; format it again");
        superblocks.CheckNotOlder(metadata.VisibleSequence);
        if (superblock.ChunkCount > device.Geometry.SizeBytes / MapLayout.ChunkBytes)
            throw new CorruptDataException(
                device.Name, 0, $"pool {superblock.Name} has {superblock.ChunkCount} chunks, the device {device.Geometry.SizeBytes} bytes");
        if (RememberedChunks(metadata) is { } remembered && remembered > superblock.ChunkCount) await superblocks.GrowAsync(remembered);

        var name = options.Name ?? superblock.Name;
        var parts = new PoolParts(
            name,
            device,
            metadata,
            LoadSpace(metadata, name, superblocks.Current.ChunkCount, device, options),
            new PoolGeneration(record.NextGeneration - 1),
            record.Checksum,
            options);
        StoragePool? pool = null;
        try
        {
            pool = new StoragePool(parts, superblocks, record);
            await superblocks.RepairAsync(parts.Events);
            await pool.BeginAsync(record, LoadCatalogue(metadata, name));
            return pool;
        }
        catch
        {
            await parts.Work.DisposeAsync();
            pool?.sweep.Dispose();
            if (pool is not null) await pool.Recheck.DisposeAsync();
            parts.Dispose();
            await parts.Events.DisposeAsync();
            throw;
        }
    }

    // Nothing here takes longer the larger the pool is. What was being overwritten in a crash is looked at by the sweep, or by the first
    // request that comes to it; only what a killed process had not committed is taken up before anybody is served: a second of writes.
    async ValueTask BeginAsync(PoolRecord record, List<(VolumeRecord Record, long Chunks)> catalogue)
    {
        GroupMarkers.CarryOver(Store, Parts.Metadata, Name);
        var openedBy = Store.Get(MapKeys.IsOpen);
        var wasClosed = openedBy is null;
        var (recent, life) = FindRecentWrites(openedBy);
        // Durable before anything is punched: the free space that was just read may have been in the page cache only, and a power
        // cut would bring back a map that still owns it.
        var open = new WriteBatch();
        Parts.Metadata.PutIsOpen(open, life);
        open.Put(MapKeys.Pool, record.ToBytes()); // In its last version, before anything is written that earlier programs do not know.
        Parts.Metadata.Write(open, Durability.Sync, mayUseReserve: true);
        var mark = RecentMark.Read(Store.Get(MapKeys.RecentMark));
        Commits.Mark = mark;
        Parts.Recent.Begin(Id, life, mark.Needed, recent);
        sweep.Prepare();
        Recheck.Prepare();
        TakeInSnapshots();
        var volumes = TakeIn(catalogue);
        if (recent is not null) await RecoverRecentAsync(recent);
        Resume(volumes);
        sweep.Start();
        Recheck.Start();
        if (!wasClosed)
        {
            Parts.Events.Report(
                PoolEventKind.Recovery,
                PoolEventSeverity.Information,
                sweep.Progress.IsRunning
                    ? "was not closed; what was being overwritten is checked while it is in use"
                    : "was not closed; nothing was being overwritten");
            Parts.Reclaimer.PunchLeftovers();
        }

        StartTimers();
    }

    async ValueTask RecoverRecentAsync(RecentWriteRecords recent)
    {
        if (!await new RecentWriteRecovery(Parts, Catalogue.FindLineage).RunAsync(recent)) return;
        // Also where it had nothing to write: from now on it is overwritten unlogged.
        var over = new WriteBatch();
        Commits.Mark = new RecentMark(recent.Last, recent.Last);
        over.Put(MapKeys.RecentMark, new RecentMark(recent.Last, recent.Last).ToBytes());
        await Parts.Metadata.WriteAsync(over, Durability.Sync, mayUseReserve: true);
    }

    // A log that is taken up goes on in the same life: with another one, a second kill before all of it is committed would lose it.
    (RecentWriteRecords? Records, Guid Life) FindRecentWrites(byte[]? openedBy)
    {
        Guid? before = openedBy is { Length: 16 } ? new Guid(openedBy) : null;
        var recent = Parts.Recent.Find(Id, before, RecentMark.Read(Store.Get(MapKeys.RecentMark)));
        return (recent, recent is null ? Parts.Options.Entropy.NextGuid() : before!.Value);
    }

    static PoolRecord? RequireEmpty(KeyValueStore metadata, string where)
    {
        using var cursor = metadata.Scan(KeyRange.All);
        if (!cursor.MoveNext()) return null;
        if (!cursor.Key.SequenceEqual(MapKeys.Pool)) throw new UnsupportedFormatException(where, "the store is not empty");
        var record = PoolRecord.Read(cursor.Value, where);
        if (record.State != PoolState.Formatting) throw new UnsupportedFormatException(where, "the store belongs to a pool already");
        return record;
    }

    static long? RememberedChunks(KeyValueStore metadata) => metadata.Get(MapKeys.DeviceChunks) is { Length: sizeof(long) } value
        ? BinaryPrimitives.ReadInt64LittleEndian(value)
        : null;

    static long ChunksFor(long capacityBytes)
    {
        if (capacityBytes is < 1 or > MaxCapacityBytes)
            throw new ArgumentOutOfRangeException(nameof(capacityBytes), capacityBytes, "A pool holds between 1 byte and 1 PiB.");
        return ((capacityBytes + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes) + MapLayout.ReservedChunks;
    }

    static ChunkSpace LoadSpace(
        KeyValueStore metadata, string pool, long chunkCount, IBlockDevice device, PoolOptions options)
    {
        var space = new ChunkSpace(ChunkTables.Create(pool, chunkCount, options.AvailableMemory()));
        using var cursor = metadata.Scan(KeyRange.Prefix(MapKeys.Bitmaps));
        while (cursor.MoveNext())
        {
            var group = MapKeys.ReadNumber(cursor.Key);
            if (group < 0 || group >= space.GroupCount)
                throw new CorruptDataException(pool, 0, $"bitmap of group {group} of {space.GroupCount}");
            GroupBitmap.Read(cursor.Value, space.CommittedWords((int)group), pool, (int)group);
        }

        space.Loaded(pool);
        var deviceChunks = device.Geometry.SizeBytes / MapLayout.ChunkBytes;
        foreach (var range in ReadBarred(metadata, pool))
        {
            if (range.First >= deviceChunks)
            {
                throw new CorruptDataException(
                    pool, range.First, $"range that is out of use: from chunk {range.First} on, of {deviceChunks}");
            }

            space.BarAtOpening(range.First, Math.Min(range.End, deviceChunks)); // What is not there takes no memory.
        }

        return space;
    }

    static List<(VolumeRecord Record, long Chunks)> LoadCatalogue(KeyValueStore metadata, string where)
    {
        var records = new List<(VolumeRecord, long)>();
        using var cursor = metadata.Scan(KeyRange.Prefix(MapKeys.Volumes));
        while (cursor.MoveNext())
        {
            var record = VolumeRecord.Read(cursor.Key, cursor.Value, where);
            var chunks = metadata.Get(MapKeys.Usage(record.Lineage)) is { Length: sizeof(long) } usage
                ? BinaryPrimitives.ReadInt64LittleEndian(usage)
                : 0;
            records.Add((record, chunks));
        }

        return records;
    }
}
