using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>
/// Where a pool with its metadata in its directory lives: its devices, or a file for its blocks there, and a key-value store for the rest.
/// </summary>
static class PoolFiles
{
    public const int BlockSizeBytes = 4096;

    /// <summary>Creates a pool in a file of an empty directory, and opens it. Durable when the call returns.</summary>
    public static async Task<StoragePool> CreateAsync(
        string path, string name, long capacityBytes, ServerOptions options, Action<PoolEvent>? observer = null)
    {
        await FormatAsync(path, name, capacityBytes, options);
        return await OpenAsync(path, options, observer);
    }

    /// <summary>Makes an empty pool in a file of an empty directory. Durable when the call returns.</summary>
    public static async Task FormatAsync(string path, string name, long capacityBytes, ServerOptions options)
    {
        var lengthBytes = StoragePool.DeviceBytesFor(capacityBytes);
        await using var device = FileDevice.Create(options.FileSystem, DataPath(path), lengthBytes, BlockSizeBytes);
        await FormatAsync(path, name, device, options);
    }

    /// <summary>Makes an empty pool of a device and of an empty directory. Durable when the call returns.</summary>
    public static async Task FormatAsync(string path, string name, IBlockDevice device, ServerOptions options)
    {
        options.FileSystem.CreateDirectory(MetadataPath(path));
        options.FileSystem.SyncDirectory(path);
        await using var metadata = OpenMetadata(path, options, isNew: true);
        await StoragePool.FormatAsync(name, device, metadata, PoolOptions(options));
    }

    /// <summary>Opens a pool in a file, and recovers it if it was not closed.</summary>
    /// <exception cref="ServerStartException">It has another size than the one that is asked for.</exception>
    public static Task<StoragePool> OpenAsync(string path, ServerOptions options, Action<PoolEvent>? observer = null) =>
        OpenAsync(path, DataDirectory.MainPool, OpenFile(path, options), options.PoolSizeBytes, options, observer);

    /// <summary>Opens a pool, and recovers it if it was not closed.</summary>
    /// <param name="path">Its directory.</param>
    /// <param name="name">What it is called now.</param>
    /// <param name="open">Opens what it lies on.</param>
    /// <param name="askedBytes">What it is to hold; null takes what it holds.</param>
    /// <param name="options">How the server runs.</param>
    /// <param name="observer">Gets what the pool has to tell.</param>
    /// <exception cref="ServerStartException">It has another size than the one that is asked for.</exception>
    public static async Task<StoragePool> OpenAsync(
        string path, string name, Func<KeyValueStore, ValueTask<IBlockDevice>> open, long? askedBytes, ServerOptions options,
        Action<PoolEvent>? observer)
    {
        var metadata = OpenMetadata(path, options, isNew: false);
        IBlockDevice? device = null;
        StoragePool opened;
        try
        {
            // Before anything else: if the pool cannot be opened, it is the first question.
            if (metadata.Recovery is { WasClosed: false } recovery) Report(observer, $"pool {name}: its map was {recovery}");
            // Before it is recovered: what is refused is left as it is.
            device = await open(metadata);
            if (StoragePool.FindCapacityBytes(metadata) is { } capacity) PoolSizes.Require(askedBytes, capacity);
            opened = await StoragePool.OpenAsync(device, metadata, PoolOptions(options, path) with { Name = name, Observer = observer });
        }
        catch
        {
            metadata.Dispose();
            if (device is not null) await device.DisposeAsync();
            throw;
        }

        try
        {
            PoolSizes.Require(askedBytes, opened.FullCapacityBytes); // Of earlier programs it is known only now.
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens the file of a pool that has no devices.</summary>
    public static Func<KeyValueStore, ValueTask<IBlockDevice>> OpenFile(string path, ServerOptions options) => metadata =>
    {
        using (var file = options.FileSystem.Open(DataPath(path), FileOpenMode.ReadOnly))
            StoragePool.CheckDeviceLength(metadata, DataPath(path), file.LengthBytes);
        return new(FileDevice.Open(options.FileSystem, DataPath(path), BlockSizeBytes));
    };

    public static string DataPath(string path) => $"{path}/data";

    static void Report(Action<PoolEvent>? observer, string message) =>
        observer?.Invoke(new(PoolEventKind.Recovery, PoolEventSeverity.Information, message));

    static string MetadataPath(string path) => $"{path}/meta";

    static KeyValueStore OpenMetadata(string path, ServerOptions options, bool isNew) => KeyValueStore.Open(MetadataPath(path), new()
    {
        FileSystem = options.FileSystem,
        TimeProvider = options.TimeProvider,
        Entropy = options.Entropy,
        CreateIfMissing = isNew,
    });

    /// <summary>How pools work.</summary>
    /// <param name="options">How the server runs.</param>
    /// <param name="path">The directory of the pool that is opened; null for one that is only made.</param>
    public static PoolOptions PoolOptions(ServerOptions options, string? path = null) => new()
    {
        TimeProvider = options.TimeProvider,
        Entropy = options.Entropy,
        Host = options.Host,
        RecentWrites = path is not null && options.BootId is { } boot ? new(options.FileSystem, $"{path}/recent", boot) : null,
    };
}
