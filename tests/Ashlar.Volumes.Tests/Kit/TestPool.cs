using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>A pool on a simulated disk, which can be closed and opened again.</summary>
sealed class TestPool : IAsyncDisposable
{
    const string DataPath = "/pool.data", StorePath = "/map";

    TestPool(IFileSystem disk, PoolOptions options)
    {
        Disk = disk;
        Options = options;
    }

    public IFileSystem Disk { get; }

    public PoolOptions Options { get; set; }

    public StoragePool Pool { get; private set; } = null!;

    public Func<IBlockDevice, IBlockDevice> Wrap { get; set; } = device => device;

    /// <summary>A map whose memtable is flushed, and whose tables are merged, all the time.</summary>
    public static KeyValueOptions SmallStore { get; } =
        new() { MemTableBytes = 4096, TableBytes = 4096, LogSegmentBytes = 16 << 10, BlockCacheBytes = 64 << 10 };

    KeyValueOptions StoreOptions { get; init; } = new() { MemTableBytes = 1 << 20, BlockCacheBytes = 1 << 20 };

    /// <summary>Metadata of a pool that has them on its device.</summary>
    public const int PlacedChunks = 64;

    PoolOptions PlacedOptions => Options with
    {
        MetadataChunks = PlacedChunks,
        StoreOptions = StoreOptions,
        Host = new PoolHost(new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), "here"),
    };

    public static PoolOptions DefaultOptions(ulong seed = 1) => new()
    {
        TimeProvider = new SimulatedClock(),
        Entropy = new SeededEntropy(seed),
    };

    /// <summary>Formats a new pool; the sizes do not count the two chunks of the superblocks.</summary>
    public static async Task<TestPool> CreateAsync(
        int chunks = 256,
        PoolOptions? options = null,
        IFileSystem? disk = null,
        int deviceBlockBytes = 4096,
        Func<IBlockDevice, IBlockDevice>? wrap = null,
        KeyValueOptions? storeOptions = null,
        bool isPlaced = false)
    {
        var test = new TestPool(disk ?? new SimulatedFileSystem(isRecording: false), options ?? DefaultOptions());
        if (storeOptions is not null) test = new TestPool(test.Disk, test.Options) { StoreOptions = storeOptions };
        if (wrap is not null) test.Wrap = wrap;
        if (isPlaced) chunks += PlacedChunks;
        var device = FileDevice.Create(test.Disk, DataPath, (chunks + 2L) * MapLayout.ChunkBytes, deviceBlockBytes);
        if (isPlaced)
        {
            await StoragePool.FormatAsync("main", device, test.PlacedOptions);
            test.Pool = await StoragePool.OpenAsync(test.Wrap(device), test.PlacedOptions);
            return test;
        }

        var store = OpenStore(test.Disk, test.StoreOptions);
        await StoragePool.FormatAsync("main", device, store, test.Options);
        test.Pool = await StoragePool.OpenAsync(test.Wrap(device), store, test.Options);
        return test;
    }

    /// <summary>Opens the pool that lies on a disk.</summary>
    public static async Task<TestPool> OpenAsync(
        IFileSystem disk,
        PoolOptions options,
        int deviceBlockBytes = 4096,
        Func<IBlockDevice, IBlockDevice>? wrap = null,
        KeyValueOptions? storeOptions = null)
    {
        var test = new TestPool(disk, options);
        if (storeOptions is not null) test = new TestPool(disk, options) { StoreOptions = storeOptions };
        if (wrap is not null) test.Wrap = wrap;
        await test.OpenAsync(deviceBlockBytes);
        return test;
    }

    public static KeyValueStore OpenStore(IFileSystem disk, KeyValueOptions? options = null) =>
        KeyValueStore.Open(StorePath, (options ?? new KeyValueOptions { MemTableBytes = 1 << 20, BlockCacheBytes = 1 << 20 }) with
        {
            FileSystem = disk,
            TimeProvider = new SimulatedClock(),
            Entropy = new SeededEntropy(2),
        });

    public static FileDevice OpenDevice(IFileSystem disk, int deviceBlockBytes = 4096) =>
        FileDevice.Open(disk, DataPath, deviceBlockBytes);

    public async Task ReopenAsync()
    {
        await Pool.DisposeAsync();
        await OpenAsync(4096);
    }

    public async Task<IBlockDevice> CreateVolumeAsync(string name, long sizeBytes, int blockSizeBytes = 4096, bool isThick = false)
    {
        await Pool.CreateVolumeAsync(name, new VolumeOptions { SizeBytes = sizeBytes, BlockSizeBytes = blockSizeBytes, IsThick = isThick });
        return Pool.OpenVolume(name)!;
    }

    /// <summary>Deletes a volume and waits for its space.</summary>
    public async Task DeleteVolumeAsync(string name) => await (await Pool.DeleteVolumeAsync(name)).Completion;

    /// <summary>Waits for what the pool does by itself, however it ends.</summary>
    public Task SettleAsync() => Task.WhenAll(Task.WhenAny(Pool.Work.Idle), Task.WhenAny(Pool.Recheck.Idle));

    /// <summary>Waits until the observer has got what happened so far.</summary>
    public async Task HearAsync() => await Pool.Parts.Events.WaitAsync();

    public async ValueTask DisposeAsync() => await Pool.DisposeAsync();

    async Task OpenAsync(int deviceBlockBytes)
    {
        var device = OpenDevice(Disk, deviceBlockBytes);
        KeyValueStore? store = null;
        try
        {
            if (!Disk.DirectoryExists(StorePath))
            {
                Pool = await StoragePool.OpenAsync(Wrap(device), PlacedOptions);
                return;
            }

            store = OpenStore(Disk, StoreOptions);
            Pool = await StoragePool.OpenAsync(Wrap(device), store, Options);
        }
        catch
        {
            await device.DisposeAsync();
            store?.Dispose();
            throw;
        }
    }
}
