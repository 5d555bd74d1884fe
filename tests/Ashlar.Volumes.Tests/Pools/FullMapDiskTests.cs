using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// The disk below is full, of the map or of everything: what needs new space is refused and nothing is in doubt; overwriting, reading,
/// discarding, deleting, closing and opening go on; and with room again everything does.
/// </summary>
public sealed class FullMapDiskTests
{
    const int BlocksPerLeaf = MapLayout.BlocksPerLeaf;

    readonly List<PoolEvent> events = [];

    // A store that keeps no reserve: even what ends something is refused.
    [Theory]
    [InlineData("flush")]
    [InlineData("create")]
    [InlineData("delete")]
    [InlineData("overwrite")]
    public async Task A_full_disk_that_has_room_again_is_no_reason_to_refuse_writes(string what)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var faulty = new FaultyFileSystem(disk);
        await using var pool = await OpenNewAsync(faulty, new KeyValueOptions { MemTableBytes = 1 << 20, LogSegmentBytes = 1024, SpaceReserveBytes = 0 });
        var volume = pool.OpenVolume("disk")!;
        for (var leaf = 0; leaf < 16; leaf++) await volume.WriteAsync(new Lba(leaf * BlocksPerLeaf), new byte[8 * 4096]);
        await volume.FlushAsync();
        await pool.CommitAsync();

        faulty.Add(new FaultRule(FaultOperations.Allocate | FaultOperations.Write, FaultKind.NoSpace) { PathPattern = "/map/table*", IsSticky = true });
        faulty.Add(new FaultRule(FaultOperations.Allocate, FaultKind.NoSpace) { PathPattern = "/map/log-*", IsSticky = true });
        Exception? refusal = null;
        for (var i = 0; i < 40 && refusal is null; i++) refusal = await Record.ExceptionAsync(() => DoAsync(pool, what, i));
        Assert.IsType<DeviceFullException>(refusal);
        Assert.Null(pool.GetStatistics().Failure);
        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(volume, 7));

        faulty.Heal();
        await volume.WriteAsync(new Lba(1), CrashedPool.Content(9));
        await volume.WriteAsync(new Lba(100), CrashedPool.Content(10));
        await volume.FlushAsync();
        await pool.CommitAsync();
        Assert.False(pool.GetStatistics().IsMapDiskFull);
        Assert.Equal(CrashedPool.Content(10), await CrashedPool.ReadAsync(volume, 100));
        Assert.Empty((await pool.VerifyAsync(readData: true)).Problems);
    }

    // Everything lies on one disk, and others take whatever becomes free on it: there is no room for data, or, where the file of the pool
    // has all of its space, none for the map.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task On_a_full_disk_the_owner_is_let_in_overwrites_reads_deletes_closes_and_opens(bool hasRoomForData)
    {
        var disk = new SimulatedFileSystem(isRecording: false) { CapacityBytes = 96 << 20 };
        var storeOptions = new KeyValueOptions { MemTableBytes = 1 << 20, TableBytes = 1 << 20, LogSegmentBytes = 64 << 10 };
        var pool = await OpenNewAsync(disk, storeOptions);
        if (hasRoomForData)
        {
            using var file = disk.Open("/pool.data", FileOpenMode.Existing);
            file.Allocate(0, file.LengthBytes);
        }

        var volume = pool.OpenVolume("disk")!;
        for (var leaf = 0; leaf < 16; leaf++) await volume.WriteAsync(new Lba(leaf * BlocksPerLeaf), CrashedPool.Content(leaf, 16));
        await pool.OpenVolume("other")!.WriteAsync(Lba.Zero, CrashedPool.Content(1, 16));
        await volume.FlushAsync();
        await pool.CommitAsync();
        using var ballast = new Ballast(disk);
        ballast.TakeAll();

        // Writes that need new space: refused with "no space" sooner or later, and never anything else.
        Exception? refusal = null;
        for (var i = 0; i < 4000 && refusal is null; i++)
        {
            refusal = await Record.ExceptionAsync(async () =>
            {
                await volume.WriteAsync(new Lba((i % 16 * BlocksPerLeaf) + 16 + (i / 16)), CrashedPool.Content(i));
                await volume.FlushAsync();
            });
            ballast.TakeAll();
        }

        Assert.IsType<DeviceFullException>(refusal);
        Assert.Null(pool.GetStatistics().Failure);

        // Volumes are created as long as there is room, and take nothing of what is kept for those who make room.
        refusal = null;
        for (var i = 0; i < 4000 && refusal is null && hasRoomForData; i++)
        {
            refusal = await Record.ExceptionAsync(async () =>
                await pool.CreateVolumeAsync($"more{i}", new VolumeOptions { SizeBytes = 1 << 20, BlockSizeBytes = 4096 }));
            ballast.TakeAll();
        }

        if (hasRoomForData) Assert.IsType<DeviceFullException>(refusal);

        // Overwriting and reading go on.
        for (var i = 0; i < 200; i++)
        {
            await volume.WriteAsync(new Lba(i % 16 * BlocksPerLeaf), CrashedPool.Content(i));
            await volume.FlushAsync();
            ballast.TakeAll();
        }

        Assert.Equal(CrashedPool.Content(199), await CrashedPool.ReadAsync(volume, 7 * BlocksPerLeaf));
        await volume.TrimAsync(new Lba(15 * BlocksPerLeaf), 16);
        ballast.TakeAll();
        await (await pool.DeleteVolumeAsync("other")).Completion;
        Assert.Null(pool.FindVolume("other"));
        ballast.TakeAll();
        await pool.DisposeAsync();
        ballast.TakeAll();

        // Opened on the full disk, nothing that was flushed is missing; then there is room again.
        pool = await OpenAsync(disk, storeOptions);
        volume = pool.OpenVolume("disk")!;
        Assert.Null(pool.FindVolume("other"));
        Assert.Equal(CrashedPool.Content(199), await CrashedPool.ReadAsync(volume, 7 * BlocksPerLeaf));
        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(volume, 15 * BlocksPerLeaf));
        ballast.Dispose();
        await volume.WriteAsync(new Lba(200), CrashedPool.Content(5));
        await volume.FlushAsync();
        await pool.CommitAsync();
        Assert.False(pool.GetStatistics().IsMapDiskFull);
        Assert.Empty((await pool.VerifyAsync(readData: true)).Problems);
        await pool.DisposeAsync();
        lock (events)
        {
            var said = events.Where(each => each.Kind == PoolEventKind.MetadataSpace).ToList();
            Assert.Equal(hasRoomForData, said.Exists(each => each.Severity == PoolEventSeverity.Error));
            Assert.Equal(said.Count(each => each.Severity == PoolEventSeverity.Error), said.Count(each => each.Severity == PoolEventSeverity.Information));
        }
    }

    static async Task DoAsync(StoragePool pool, string what, int i)
    {
        var volume = pool.OpenVolume("disk")!;
        switch (what)
        {
            case "create":
                await pool.CreateVolumeAsync($"more{i}", new VolumeOptions { SizeBytes = 1 << 20, BlockSizeBytes = 4096 });
                break;
            case "delete":
                if (i > 0) await pool.CreateVolumeAsync($"more{i}", new VolumeOptions { SizeBytes = 1 << 20, BlockSizeBytes = 4096 });
                await pool.DeleteVolumeAsync(i == 0 ? "other" : $"more{i}");
                break;
            case "overwrite":
                for (var leaf = 0; leaf < 16; leaf++) await volume.WriteAsync(new Lba(leaf * BlocksPerLeaf), CrashedPool.Content(i + leaf));
                await pool.CommitAsync();
                break;
            default:
                for (var leaf = 0; leaf < 16; leaf++) await volume.WriteAsync(new Lba((leaf * BlocksPerLeaf) + 16 + i), new byte[4096]);
                await volume.FlushAsync();
                break;
        }
    }

    async Task<StoragePool> OpenNewAsync(IFileSystem disk, KeyValueOptions storeOptions)
    {
        await using (var device = FileDevice.Create(disk, "/pool.data", 258L * MapLayout.ChunkBytes, 4096))
        using (var store = OpenStore(disk, storeOptions))
            await StoragePool.FormatAsync("main", device, store, TestPool.DefaultOptions());
        var pool = await OpenAsync(disk, storeOptions);
        foreach (var name in new[] { "disk", "other" })
            await pool.CreateVolumeAsync(name, new VolumeOptions { SizeBytes = 64 << 20, BlockSizeBytes = 4096 });
        return pool;
    }

    async Task<StoragePool> OpenAsync(IFileSystem disk, KeyValueOptions storeOptions) => await StoragePool.OpenAsync(
        TestPool.OpenDevice(disk), OpenStore(disk, storeOptions), TestPool.DefaultOptions(2) with
        {
            Observer = each =>
            {
                lock (events) events.Add(each);
            },
        });

    static KeyValueStore OpenStore(IFileSystem disk, KeyValueOptions options) => KeyValueStore.Open("/map", new KeyValueOptions
    {
        FileSystem = disk,
        TimeProvider = new SimulatedClock(),
        Entropy = new SeededEntropy(2),
        BlockCacheBytes = 1 << 20,
        MemTableBytes = options.MemTableBytes,
        TableBytes = options.TableBytes,
        LogSegmentBytes = options.LogSegmentBytes,
        SpaceReserveBytes = options.SpaceReserveBytes,
    });

    /// <summary>What others put on the disk.</summary>
    sealed class Ballast(SimulatedFileSystem disk) : IDisposable
    {
        readonly IFile file = disk.Open("/ballast", FileOpenMode.CreateNew);
        long bytes;
        bool isGone;

        public void TakeAll()
        {
            while (disk.GetFreeSpaceBytes("/") is var free and > 0)
            {
                file.Allocate(bytes, free);
                bytes += free;
            }
        }

        public void Dispose()
        {
            if (isGone) return;
            isGone = true;
            file.Dispose();
            disk.Delete("/ballast");
        }
    }
}
